"""The origin of a page as a browser writes it into the Origin header (RFC 6454 §6.2), in its one spelling.

    https://chat.example.com        http://127.0.0.1:8000        app://chat

Scheme and host are in lower case, there is no path, and the port is left out if it is the scheme's own. "null", which a
browser writes for pages that it trusts less, is nobody's and is refused.
"""

import re
from typing import Final

from authz.errors import InvalidName

MOST: Final = 300
FORM: Final = re.compile(r"([a-z][a-z0-9+.-]*)://([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.ASCII)
PORTS: Final = {"http": ":80", "https": ":443"}


def parse_origin(text: str) -> str:
    """Return the one spelling of an origin; InvalidName says that it is none."""
    origin = text.strip().lower().removesuffix("/")
    if len(origin) > MOST or (found := FORM.fullmatch(origin)) is None:
        message = f"{text[:MOST]!r} is not an origin; write it like https://chat.example.com"
        raise InvalidName(message)
    scheme, host, port = found.groups()
    return f"{scheme}://{host}{'' if port == PORTS.get(scheme) else port or ''}"
