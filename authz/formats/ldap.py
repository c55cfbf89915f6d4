"""How filters, names, servers and authorities are written where a directory is set up; what is wrong is said in words.

Only the form is checked: whether a server knows an attribute or a folder, it says itself when it is tried.
"""

import re
import ssl
from urllib.parse import urlsplit

ATTRIBUTE = r"(?:[A-Za-z][A-Za-z0-9._-]{0,99}|\d+(?:\.\d+)+)"
"""A name, or an object identifier (RFC 4512 §2.5); some servers allow underscores."""
_ITEM = re.compile(
    rf"(?:{ATTRIBUTE}(?:;[A-Za-z0-9-]+)*)?(?P<rule>(?::dn)?(?::{ATTRIBUTE})?:)?(?:=|~=|>=|<=)(?:\\[0-9A-Fa-f]{{2}}|[^\\()\0])*"
)
_PAIR = rf" *{ATTRIBUTE} *=(?:\\[^\0]|[^\\,+;\"<>\0])*"
_DN = re.compile(rf"{_PAIR}(?:[,+]{_PAIR})*")
_HOST = re.compile(r"[\w.-]+|[0-9A-Fa-f:.]+(?:%[\w.-]+)?")
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")
DEEPEST = 30
"""Parentheses within one another; nobody writes so many by hand."""


def parse_attribute(text: str) -> str:
    """Return the name of an attribute, which may have options; ValueError says that it is none."""
    if not re.fullmatch(rf"{ATTRIBUTE}(?:;[A-Za-z0-9-]+)*", text):
        message = f"{text!r} is not the name of an attribute"
        raise ValueError(message)
    return text


def parse_filter(text: str) -> str:
    """Return a filter (RFC 4515) with parentheses around it; ValueError says what is wrong with it."""
    wanted = text.strip()
    if not wanted.startswith("("):
        wanted = f"({wanted})"
    if (end := _filter(wanted, 0, DEEPEST)) != len(wanted):
        message = f"the filter goes on after its last parenthesis: {wanted[end:]!r}"
        raise ValueError(message)
    return wanted


def _filter(text: str, at: int, deep: int) -> int:
    """Return where a filter that begins here ends."""
    if text[at : at + 1] != "(" or not deep:
        message = (
            f"a parenthesis is missing in the filter at {text[at : at + 20]!r}" if deep else "the filter is too deep"
        )
        raise ValueError(message)
    at += 1
    if text[at : at + 1] in {"&", "|", "!"}:
        one, at, first = text[at] == "!", _after_space(text, at + 1), True
        while first or (text[at : at + 1] == "(" and not one):
            at, first = _after_space(text, _filter(text, at, deep - 1)), False
    elif (item := _ITEM.match(text, at)) is not None and text[at] not in "=~><":
        at = item.end()
    else:
        message = f"{text[at : at + 40]!r} is no part of a filter, such as mail=*"
        raise ValueError(message)
    if text[at : at + 1] != ")":
        message = f"a parenthesis is not closed in the filter, at {text[at : at + 20]!r}"
        raise ValueError(message)
    return at + 1


def _after_space(text: str, at: int) -> int:
    while text[at : at + 1].isspace():
        at += 1
    return at


def parse_dn(text: str) -> str:
    """Return the name of an entry (RFC 4514); ValueError says that it is none."""
    if not _DN.fullmatch(text):
        message = f"{text!r} is not a DN, such as ou=people,dc=example,dc=com"
        raise ValueError(message)
    return text


def parse_server(url: str) -> str:
    """Return the address of a server; ValueError says what is wrong with it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        message = f"{url!r} is not an address like ldaps://dc1.example.com: {error}"
        raise ValueError(message) from None
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in {"ldap", "ldaps"} or not _HOST.fullmatch(host) or not plain or port == 0:
        message = f"{url!r} is not an address like ldaps://dc1.example.com"
        raise ValueError(message)
    return url


def parse_authorities(pem: str) -> str:
    """Return the certificates in a text, in PEM; ValueError says that there is none, or a secret among them."""
    if "PRIVATE KEY" in pem:
        message = "it holds a private key, which is for the server alone"
        raise ValueError(message)
    # Lists of authorities have comments between them, in whatever language.
    blocks = "\n".join(_CERTIFICATE.findall(pem))
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=blocks)
    except (ssl.SSLError, ValueError, TypeError):
        message = "it holds no certificate in PEM, or one that is damaged"
        raise ValueError(message) from None
    return blocks
