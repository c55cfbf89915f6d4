"""A request as the edge sees it: only the headers it knows, each once, and nothing a look-alike could smuggle in."""

import re
from typing import Any, Final

KNOWN: Final = frozenset(
    {
        "accept",
        "authorization",
        "authz-at-least",
        "content-type",
        "cookie",
        "host",
        "mcp-method",
        "mcp-name",
        "mcp-protocol-version",
        "origin",
        "sec-fetch-mode",
        "sec-websocket-key",
        "sec-websocket-version",
        "upgrade",
        "x-api-key",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-method",
        "x-forwarded-proto",
        "x-forwarded-uri",
        "x-original-method",
        "x-original-uri",
        "x-original-url",
        "x-proxy-secret",
        "x-real-ip",
        "x-requested-with",
    }
)
JOINED: Final = {"cookie": "; ", "x-forwarded-for": ", ", "accept": ", "}
"""Headers that may come in several lines (RFC 9110 §5.3; RFC 9113 §8.2.3 for cookies), and how they are joined."""

IGNORED: Final = ""
LOOKALIKE: Final = "!"
ROLES_REMEMBERED: Final = 2048
LONGEST_NAME: Final = 64
"""Bytes of a header's name; no known one has as many."""

TWINS: Final = re.compile(r"[^a-z0-9-]")
"""Characters of a header's name (RFC 9110 §5.6.2) that one server or another takes for "-"."""

_roles: dict[bytes, str] = {}


def role_of(name: bytes) -> str:
    """Return the known header a name is, IGNORED, or LOOKALIKE for one that others could take for a known one.

    CGI, WSGI and PHP cannot tell `X_Forwarded_Uri`, `X.Forwarded.Uri` or `X~Forwarded~Uri` from
    `X-Forwarded-Uri`; a request that holds such a twin has been tampered with.
    """
    if len(name) > LONGEST_NAME:
        return IGNORED  # and not remembered: names may have any length, and there are any number of them
    text = name.decode("latin-1").lower()
    if text in KNOWN:
        role = text
    elif TWINS.sub("-", text) in KNOWN:
        role = LOOKALIKE
    else:
        role = IGNORED
    if len(_roles) >= ROLES_REMEMBERED:
        _roles.clear()
    _roles[name] = role
    return role


class Request:
    """One request: method, target as sent, known headers, the peer's address, and the body."""

    __slots__ = ("body", "headers", "method", "peer", "problem", "recalled", "target")

    def __init__(self, method: str, target: str, peer: str) -> None:
        """Begin without headers."""
        self.method = method
        self.target = target
        self.peer = peer
        self.headers: dict[str, str] = {}
        self.problem = ""
        """Why the headers cannot be relied on, if so."""
        self.body = b""
        self.recalled: Any = None
        """What the answer was recalled from, if it was; only the edge's own process asks."""

    def add(self, name: bytes, value: bytes) -> None:
        """Take a header as it came."""
        role = _roles.get(name)
        if role is None:
            role = role_of(name)
        if role == IGNORED:
            return
        if role == LOOKALIKE:
            self.problem = "a header's name imitates another's"
            return
        text = value.decode("latin-1")
        if "\0" in text:
            self.problem = f"the header {role} holds a NUL"
        if role in self.headers:
            if (glue := JOINED.get(role)) is None:
                self.problem = f"the header {role} came twice"
                return
            text = self.headers[role] + glue + text
        self.headers[role] = text
