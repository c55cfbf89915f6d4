"""Answers requests that came before, byte for byte, without reading them again.

A proxy asks the same for the same caller again and again: an MCP client has one address, one credential and the same
few headers. What a request says follows from its bytes and from the connection that brought it, and what is judged of
it holds as `remembered` tells; so where both are known, the answer is. Whatever is not exactly as it was goes the long
way, and so does everything that fails here.

A busy loop takes requests of many connections in one turn. Those that came before are recorded together, by one write,
and only then are they answered: at the end of their turn, in the World of its beginning, if that is still the newest.
What holds is looked at then too.

Requests hold credentials, so they are remembered by a keyed hash: CPython's own (SipHash, 64 bits, under a key that is
drawn when the process starts), once of the bytes alone and once with a secret before them. Where Python hashes in
another way, or under a key that somebody chose, nothing is remembered.

All of this happens a dozen times in each turn, between what the kernel does for each. What it costs is less its steps
than the memory they touch: hence so few objects, and nothing is looked up twice.
"""

import asyncio
import logging
import secrets
import sys
import time
from hashlib import sha256
from typing import Final, Protocol

from audit.spool import Recurring, SpoolUnavailable, about
from authz.edge.answers import rendered
from authz.edge.recording import spool
from authz.edge.remembered import Judged, Recalled
from authz.errors import Unavailable
from authz.lookups.current import CURRENT

log = logging.getLogger(__name__)

_KEY: Final = secrets.token_bytes(32)


class Asking(Protocol):
    """A connection, as far as it is known here."""

    mark: bytes
    """What the hash of each of its requests begins with."""

    def give(self, whole: bytes, now: float) -> None:
        """Send the answer that is owed, at a time of the loop."""

    def read(self, data: bytes) -> None:
        """Take a request the long way, which is owed an answer."""

    def abandon(self) -> None:
        """End at once, for an answer that is owed cannot be given."""


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
    """Remember the answer to a GET that came as `data` and nothing else, on a connection that stays open."""
    if not HASHES:
        return
    world, judged, url = recalled
    world.memory.repeats.keep(hash(data), Repeat(hash(mark + data), judged, url))


class Turn:
    """The requests of one turn of the loop that came before, on all its connections."""

    __slots__ = ("began", "known", "loop", "noting", "owed", "world")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Belong to a loop."""
        self.loop = loop
        self.owed: list[tuple[Asking, Repeat, bytes]] = []
        self.known: dict[int, Repeat] | None = None
        """What is known in the World of this turn, once it has begun."""
        self.noting = 0.0
        """The moment as which uses of credentials are noted: each of them once a second at most."""

    def takes(self, connection: Asking, data: bytes) -> bool:
        """Return whether these bytes, which begin where a request begins, are one that came before.

        If so it is answered at the end of the turn, or read by the connection then if it cannot be.
        """
        if self.known is None and not self._begun():
            return False
        known = self.known.get(hash(data))  # type: ignore[union-attr]  # it has begun
        if known is None or known.check != hash(connection.mark + data) or self.began >= known.until:
            return False
        self.owed.append((connection, known, data))
        return True

    def _begun(self) -> bool:
        try:
            self.world = CURRENT.now()
        except Unavailable:
            return False  # the long way knows the words for this
        self.began = time.time()
        self.known = self.world.memory.repeats
        self.loop.call_soon(self.end)  # once everything that has arrived is read
        return True

    def end(self) -> None:
        """Record what is owed, then give it; if some of it does not hold now, or cannot be recorded, all is read."""
        owed, self.owed, self.known = self.owed, [], None
        if not owed:
            return
        at, now, noting = time.time(), self.loop.time(), self.noting
        if not 0 <= at - noting < 1:
            self.noting = noting = at
        holding = [known for _, known, _ in owed if known.since <= at < known.until]
        recorded = len(holding) == len(owed) and self._recorded(holding, at)
        for connection, known, data in owed:
            try:
                if not recorded:
                    connection.read(data)
                    continue
                if known.noted is not noting:
                    known.noted = noting
                    known.used(known.number, at)
                connection.give(known.whole, now)
            except Exception:  # whatever is wrong with one connection, the others are not to wait for ever
                log.exception("edge.not_given")
                connection.abandon()

    def _recorded(self, holding: list[Repeat], at: float) -> bool:
        try:
            if CURRENT.now() is not self.world:
                return False
            spool().append_all(holding, at=at)
        except (Unavailable, SpoolUnavailable):
            return False
        except Exception:
            log.exception("edge.not_recorded")
            return False
        return True
