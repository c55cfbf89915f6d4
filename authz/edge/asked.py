"""What a proxy asks, once its dialect has been read."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

from authz.edge.request import Request


class Refusal(StrEnum):
    """How a dialect wants strangers to be sent to the login page."""

    STATUS = "status"
    """401 with the address in Location: nginx turns it into a redirect itself."""
    REDIRECT = "redirect"
    """A redirect to browsers; 401 to everything else."""


class Asked(NamedTuple):
    """The original request, as the proxy describes it; nothing here is believed before the proxy is."""

    url: str = ""
    """Absolute; empty if none is named."""
    method: str = ""
    """Of the original request; empty if unknown."""
    address: str = ""
    """The client's address, as text; empty if unknown."""
    refusal: Refusal = Refusal.STATUS
    forwarded: bool = True
    """Whether any of this was said in forwarded headers, so that only a trusted proxy may say it."""
    problem: str = ""
    """Why what the proxy says cannot be read."""


Dialect = Callable[[Request], Asked]

SCHEMES: Final = frozenset({"http", "https", "ws", "wss"})
ENDS_A_HOST: Final = frozenset("/?#@\\")


def whole_url(scheme: str, host: str, uri: str) -> str:
    """Return the URL that a proxy names in parts; empty if a part could pass for another.

    A proxy may hand on a part as the client sent it. A scheme such as "https://public.example.com/?" would turn the
    path that is really asked for into a query, and so would a host with "?" in it.
    """
    if scheme not in SCHEMES or not host or not ENDS_A_HOST.isdisjoint(host) or not uri.startswith("/"):
        return ""
    return f"{scheme}://{host}{uri}"


def last_hop(forwarded_for: str) -> str:
    """Return the address that the nearest proxy itself saw: the last of X-Forwarded-For; the rest is hearsay."""
    return forwarded_for.rpartition(",")[2].strip()
