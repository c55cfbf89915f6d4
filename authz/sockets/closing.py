"""Why a connection ends: close codes (RFC 6455 §7.4) and words, which clients rely on and which never change.

4001  revoked             sign in again: the credential, its session or the account ended
4002  lifetime            connect again at once: the longest life of a connection is over
4003  credential-expired  get a fresh credential, then connect again
4004  not-allowed         give up: a membership, a grant or the server was taken away, or has ended
4005  disconnected        give up until the person wants it: somebody hung up
4008  limit               connect again later, and more slowly: too much was sent, or too many are connected
1003  text-only           give up: the JSON-RPC interface speaks in text
1012  restart             connect again in a moment: this process is going away
1013  unavailable         connect again in a while: nobody can tell now who may do what
1014  upstream            connect again in a while: the application behind cannot be reached or went away
"""

from typing import Final, NamedTuple


class Closing(NamedTuple):
    """What the client is told at the end."""

    code: int
    reason: str
    """A word of the list above; at most 123 bytes may follow a code."""


REVOKED: Final = Closing(4001, "revoked")
LIFETIME: Final = Closing(4002, "lifetime")
EXPIRED: Final = Closing(4003, "credential-expired")
NOT_ALLOWED: Final = Closing(4004, "not-allowed")
DISCONNECTED: Final = Closing(4005, "disconnected")
LIMIT: Final = Closing(4008, "limit")
TEXT_ONLY: Final = Closing(1003, "text-only")
RESTART: Final = Closing(1012, "restart")
UNAVAILABLE: Final = Closing(1013, "unavailable")
GONE: Final = Closing(1000, "gone")
"""The client went by itself; it is told nothing."""
UPSTREAM: Final = Closing(1014, "upstream")
"""IANA's registry has 1014 as "Bad Gateway"."""

CLOSINGS: Final = (
    REVOKED,
    LIFETIME,
    EXPIRED,
    NOT_ALLOWED,
    DISCONNECTED,
    LIMIT,
    TEXT_ONLY,
    RESTART,
    UNAVAILABLE,
    UPSTREAM,
)
