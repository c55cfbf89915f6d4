"""Reads a URL so that nobody behind us can read it differently; where that is possible, it is refused.

Refused are: anything but visible ASCII, user information, a fragment, empty, "." and ".." segments in any spelling,
";", a backslash, and percent-encodings that are broken, not UTF-8, or that hide a delimiter or a control character.
What is left has one meaning. The path is routed both as sent and decoded; `validate` refuses if the two disagree.
"""

import re
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from authz.errors import AuthzError

LONGEST: Final = 8192
FORM: Final = re.compile(
    r"(?P<scheme>https?|wss?)://"
    r"(?P<host>[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[A-Za-z0-9._~!$&'()*+,=:@%/|^{}\"-]*)?"
    r"(?P<query>\?[!-~]*)?",
    re.ASCII,
)
DOTS: Final = re.compile(r"/\.{1,2}(/|$)")
BROKEN: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
HIDDEN: Final = re.compile(r"%(2[fF]|5[cC]|23|3[fF]|25|2[eE]|3[bB]|[01][0-9A-Fa-f]|7[fF])")
"""Encodings of / \\ # ? % . ; and of control characters."""
DEFAULT_PORTS: Final = {"http": "80", "https": "443", "ws": "80", "wss": "443"}


class UnreadableUrl(AuthzError):
    """A URL is malformed, or two readers could read it differently."""


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
    if (found := FORM.fullmatch(text)) is None:
        message = "The URL is malformed."
        raise UnreadableUrl(message)
    scheme, host, port, path, query = found.groups()
    path = path or "/"
    if query is not None and "#" in query:
        message = "The URL has a fragment."
        raise UnreadableUrl(message)
    host = host.lower()
    if host.endswith("."):
        host = host[:-1]
    if port and port != DEFAULT_PORTS[scheme]:
        host = f"{host}:{port}"
    shown = f"{scheme}://{host}{path}"
    return Url(host, read_path(path), path, shown)


def read_path(path: str) -> str:
    """Return a path decoded; UnreadableUrl if it could mean several things."""
    if "//" in path or ";" in path or DOTS.search(path):
        message = "The URL's path is ambiguous."
        raise UnreadableUrl(message)
    if "%" not in path:
        return path
    if BROKEN.search(path) or HIDDEN.search(path):
        message = "The URL's path hides a character."
        raise UnreadableUrl(message)
    try:
        return unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        message = "The URL's path is not UTF-8."
        raise UnreadableUrl(message) from None
