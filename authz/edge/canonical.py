"""Reads a URL so that nobody behind us can read it differently; where that is possible, it is refused.

Refused are: anything but visible ASCII, user information, a fragment, empty, "." and ".." segments in any spelling,
";", a backslash, and percent-encodings that are broken, not UTF-8, or that hide a delimiter or a control character.
What is left has one meaning. The path is routed both as sent and decoded; `validate` refuses if the two disagree.
"""

import functools
import re
from ipaddress import IPv6Address
from typing import Final, NamedTuple

from authz.errors import UnreadableUrl
from authz.formats.url_paths import read_path

LONGEST: Final = 8192
ORIGIN: Final = re.compile(
    r"(https?|wss?)://([A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?", re.ASCII
)
"""Scheme, host and port."""
QUERY: Final = re.compile(r"[!-~]*", re.ASCII)
ORIGINS_REMEMBERED: Final = 1024
DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
MOST_PORT: Final = 65535


class Url(NamedTuple):
    """A URL in its one meaning."""

    host: str
    """Lower case, without a trailing dot, with the port unless it is the scheme's own."""
    path: str
    """Decoded; begins with "/"."""
    raw_path: str
    """As it was sent."""
    shown: str
    """For the book: without the query, which may hold secrets."""


def read_url(text: str) -> Url:
    """Return the meaning of an absolute URL; UnreadableUrl says why it has none or several."""
    if len(text) > LONGEST:
        message = f"The URL is longer than {LONGEST} characters."
        raise UnreadableUrl(message)
    start = text.find("/", text.find("://") + 3)
    origin, rest = (text[:start], text[start:]) if start > 0 else (text, "/")
    scheme, host = read_origin(origin)
    # A query needs a path before it: a proxy that writes the Host header into a URL may be sent "public.example.com?".
    path, _, query = rest.partition("?")
    if QUERY.fullmatch(query) is None:
        message = "The URL is malformed."
        raise UnreadableUrl(message)
    if "#" in query:
        message = "The URL has a fragment."
        raise UnreadableUrl(message)
    return Url(host, read_path(path), path, f"{scheme}://{host}{path}")


@functools.lru_cache(maxsize=ORIGINS_REMEMBERED)
def read_origin(origin: str) -> tuple[str, str]:
    """Return the scheme, and the host as `Url` has it; few are ever asked about, so they are remembered."""
    if (found := ORIGIN.fullmatch(origin)) is None or ".." in found[2]:
        message = "The URL is malformed."
        raise UnreadableUrl(message)
    scheme, host, port = found.groups()
    host = host.lower().removesuffix(".")
    if host[0] == "[":
        host = _bracketed(host)
    return scheme, _with_port(scheme, host, port) if port else host


def _bracketed(host: str) -> str:
    try:
        return f"[{IPv6Address(host[1:-1])}]"
    except ValueError:
        message = "The URL's host is not an IPv6 address."
        raise UnreadableUrl(message) from None


def _with_port(scheme: str, host: str, port: str) -> str:
    number = int(port)
    if not 0 < number <= MOST_PORT:
        message = "The URL's port does not exist."
        raise UnreadableUrl(message)
    return host if number == DEFAULT_PORTS[scheme] else f"{host}:{number}"
