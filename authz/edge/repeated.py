"""Answers requests that came before, byte for byte, without reading them again.

A proxy asks the same for the same caller again and again: an MCP client has one address, one credential and the same
few headers. What a request says follows from its bytes and from the connection that brought it, and what is judged of
it holds as `remembered` tells; so where both are known, the answer is. Whatever is not exactly as it was goes the long
way, and so does everything that fails here.

Requests hold credentials, so they are remembered by a keyed hash: CPython's own (SipHash, 64 bits, under a key that is
drawn when the process starts), once of the bytes alone and once with a secret before them. Where Python hashes in
another way, or under a key that somebody chose, nothing is remembered.
"""

import secrets
import sys
from hashlib import sha256
from typing import Final

from audit.spool import Recurring, about
from authz.edge.answers import rendered
from authz.edge.remembered import Judged, Recalled

_KEY: Final = secrets.token_bytes(32)


class Repeat(Recurring):
    """What a request is answered, what is written of it, and when that holds: all in one place in memory."""

    __slots__ = ("check", "noted", "number", "since", "until", "used", "whole")

    def __init__(self, check: int, judged: Judged, url: str) -> None:
        """Answer what was judged to whoever asks about a URL."""
        super().__init__(about(url, judged.line))
        self.check = check
        """The hash of the bytes with the connection's mark before them."""
        self.noted = 0.0
        """The moment, as one object, of the last note that the credential was used."""
        self.whole = rendered(judged.answer, head_only=False, last=False)
        self.since, self.until, self.used, self.number = judged.since, judged.until, judged.used, judged.number


HASHES: Final = (
    sys.hash_info.algorithm.startswith("siphash") and sys.hash_info.width == 64 and bool(sys.flags.hash_randomization)  # noqa: PLR2004  bits
)
"""Whether Python's own hash is fit to know a request by."""


def mark_of(peer: str) -> bytes:
    """Return what the hash of every request of a connection begins with."""
    return sha256(_KEY + peer.encode()).digest()


def repeat(mark: bytes, data: bytes, recalled: Recalled) -> None:
    """Remember the answer to a request that came as `data` and nothing else, on a connection that stays open."""
    if not HASHES:
        return
    world, judged, url = recalled
    world.memory.repeats.keep(hash(data), Repeat(hash(mark + data), judged, url))
