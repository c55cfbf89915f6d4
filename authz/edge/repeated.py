"""Answers a request that came before, byte for byte, without reading it again.

A proxy asks the same for the same caller again and again: an MCP client has one address, one credential and the same
few headers. What a request says follows from its bytes and from the connection that brought it, and what is judged of
it holds as `remembered` tells; so where both are known, the answer is. It is recorded like any other. Whatever is not
exactly as it was goes the long way, and so does everything that fails here.

Requests hold credentials, so they are remembered by a keyed hash.
"""

import secrets
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from audit.spool import SpoolUnavailable, about
from authz.edge.answers import rendered
from authz.edge.recording import spool
from authz.edge.remembered import Judged, Recalled
from authz.errors import Unavailable
from authz.lookups.current import CURRENT

_KEY: Final = secrets.token_bytes(32)


@dataclass(frozen=True, slots=True)
class Repeat:
    """What a request is answered, what is written of it, and when that holds."""

    judged: Judged
    whole: bytes
    """The answer as it goes back."""
    rest: bytes
    """What the spool keeps of it, but for the time."""


def mark_of(peer: str) -> bytes:
    """Return what the hash of every request of a connection begins with."""
    return sha256(_KEY + peer.encode()).digest()


def repeated(mark: bytes, data: bytes) -> bytes | None:
    """Return the answer to a request that came before, having recorded it; None to have it judged."""
    try:
        known: Repeat | None = CURRENT.now().memory.repeats.get(sha256(mark + data).digest())
        if known is None:
            return None
        judged, at = known.judged, time.time()
        if not judged.since <= at < judged.until:
            return None
        spool().append(known.rest, at=at)
    except (Unavailable, SpoolUnavailable):
        return None  # the long way knows the words for this
    judged.used(judged.number, at)
    return known.whole


def repeat(mark: bytes, data: bytes, recalled: Recalled) -> None:
    """Remember the answer to a GET that came as `data` and nothing else, on a connection that stays open."""
    world, judged, url = recalled
    known = Repeat(judged, rendered(judged.answer, head_only=False, last=False), about(url, judged.line))
    world.memory.repeats.keep(sha256(mark + data).digest(), known)
