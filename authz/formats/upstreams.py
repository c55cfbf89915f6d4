"""The upstream of a server, to which the relay carries WebSockets, in its one spelling (RFC 6455 §3).

    ws://chat:8000/ws        wss://chat.example.com        wss://[2001:db8::1]:8443/a/b/

The scheme is ws or wss, the host is one of `routes.py` but "*", and a port that is the scheme's own is left out. A path
has no empty, "." or ".." segment and no percent-encoding; a "/" at its end is kept, for it may matter to the
application, and "/" alone is the same as no path. There is no user information, query or fragment: those are the
client's to send, or nobody's. An empty text is no upstream.
"""

import re
from typing import Final

from authz.errors import InvalidName
from authz.formats.routes import parse_host

MOST: Final = 500
PORTS: Final = {"ws": "80", "wss": "443"}
INSTEAD: Final = {"http": "ws", "https": "wss"}
EXAMPLE: Final = "write it like ws://chat:8000/ws"
FORM: Final = re.compile(r"([a-z]+)://([^/]+)(/.*)?", re.ASCII | re.IGNORECASE)
PATH: Final = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,=:@-]+)+/?", re.ASCII)


def parse_upstream(text: str) -> str:
    """Return the canonical form of an upstream, empty for none; InvalidName says what is wrong with it."""
    url = text.strip()
    if not url:
        return ""
    if len(url) > MOST:
        message = f"an upstream has {len(url)} characters; at most {MOST} are allowed"
        raise InvalidName(message)
    if any(character.isspace() or not character.isprintable() for character in url):
        message = f"{url!r} holds a space or a character that cannot be shown"
        raise InvalidName(message)
    for mark, what in (("?", "a query"), ("#", "a fragment"), ("\\", "a backslash"), ("%", "a percent-encoding")):
        if mark in url:
            message = f"{url!r} has {what}, which an upstream cannot have"
            raise InvalidName(message)
    if (found := FORM.fullmatch(url)) is None:
        message = f"{url!r} is not the address of a WebSocket; {EXAMPLE}"
        raise InvalidName(message)
    scheme, authority, path = found[1].lower(), found[2], found[3] or ""
    if scheme not in PORTS:
        hint = f"write {INSTEAD[scheme]}:// instead of {scheme}://" if scheme in INSTEAD else EXAMPLE
        message = f"{url!r} is not the address of a WebSocket; {hint}"
        raise InvalidName(message)
    if "@" in authority:
        message = f"{url!r} has a user name or a password, which an upstream cannot have"
        raise InvalidName(message)
    return f"{scheme}://{_host(url, scheme, authority)}{_path(url, path)}"


def _host(url: str, scheme: str, authority: str) -> str:
    try:
        host = parse_host(authority)
    except InvalidName:
        host = "*"
    if host == "*":
        message = f"{url!r} does not name a host and port that can be reached; {EXAMPLE}"
        raise InvalidName(message)
    return host.removesuffix(f":{PORTS[scheme]}") if not host.endswith("]") else host


def _path(url: str, path: str) -> str:
    if path in {"", "/"}:
        return ""
    if PATH.fullmatch(path) is None or any(part in {".", ".."} for part in path.split("/")):
        message = f"{url!r} has a path that can be read in several ways; {EXAMPLE}"
        raise InvalidName(message)
    return path
