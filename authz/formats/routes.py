"""The host and the path prefix of a route, in their one spelling.

A host is a DNS name in lower case (internationalised names in their ASCII form, RFC 5891), an IPv4 address or a
bracketed IPv6 address, perhaps with ":" and a port; or "*" for any host. A prefix begins with "/", has no empty or "."
segment and none that ends in "..", no "?", "#", ";", "%" or backslash, and no "/" at its end unless it is "/" alone.
"""

import re
from ipaddress import IPv6Address
from typing import Final

import idna

from authz.errors import InvalidName

NAME: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
PREFIX: Final = re.compile(r"/|(/[A-Za-z0-9._~!$&'()*+,=:@-]+)+")
MOST_PORT: Final = 65535


def parse_host(text: str) -> str:
    """Return the canonical form of a host; InvalidName says what is wrong with it."""
    host = text.strip().lower().removesuffix(".")
    if host == "*":
        return host
    name, port = (host, "") if host.endswith("]") or ":" not in host else host.rsplit(":", 1)
    if port:
        if not (port.isascii() and port.isdigit() and 0 < int(port) <= MOST_PORT):
            message = f"{text!r} has a port that is not a number from 1 to {MOST_PORT}"
            raise InvalidName(message)
        port = str(int(port))
    if name.startswith("["):
        try:
            name = f"[{IPv6Address(name.removeprefix('[').removesuffix(']').partition('%')[0])}]"
        except ValueError:
            message = f"{text!r} is not an IPv6 address in brackets"
            raise InvalidName(message) from None
    elif not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode()
        except idna.IDNAError as error:
            message = f"{text!r} is not a host name: {error}"
            raise InvalidName(message) from None
    if not name.startswith("[") and NAME.fullmatch(name) is None:
        message = f"{text!r} is not a host name; write it like chat.example.com, chat.example.com:8443, or * for any"
        raise InvalidName(message)
    return f"{name}:{port}" if port else name


def parse_prefix(text: str) -> str:
    """Return the canonical form of a path prefix; InvalidName says what is wrong with it."""
    prefix = text.strip()
    prefix = prefix.rstrip("/") or "/" if prefix else prefix
    if PREFIX.fullmatch(prefix) is None or any(part == "." or part.endswith("..") for part in prefix.split("/")):
        message = f"{text!r} is not a path prefix; write it like /mcp/search"
        raise InvalidName(message)
    return prefix
