"""One turn of the loop: all that is decided in it is recorded by one write, and only then is any of it answered.

A busy loop takes requests of many connections in one turn. One write for each of them would cost more than judging it,
and so would waking up whoever waits for each answer alone. So answers are owed until the turn ends. They are given if
they were found in the World of its beginning, if that is still the newest, and if everything is recorded; otherwise
each request is judged anew, and recorded for itself. Of those that came before (`repeated`) it is looked at then
whether they still hold.

All of this happens a dozen times in each turn, between what the kernel does for each. What it costs is less its steps
than the memory they touch: hence so few objects, and nothing is looked up twice.
"""

import asyncio
import logging
import time
from typing import Final, NamedTuple, Protocol

from audit.spool import SpoolUnavailable
from authz.decisions.world import World
from authz.edge.recording import record, spool
from authz.edge.repeated import Repeat, but_for_its_url
from authz.edge.request import Request
from authz.errors import Unavailable
from authz.lookups.current import CURRENT

log = logging.getLogger(__name__)

LONGEST: Final = 1.0
"""Seconds after which a turn is judged anew when it ends: the machine may have slept, and reasons may have ended."""
NOTHING: Final[dict[int, Repeat]] = {}
"""What is known where there is no World that may be judged by."""


class Asking(Protocol):
    """A connection, as far as it is known here."""

    mark: bytes
    """What the hash of each of its requests begins with."""

    def give(self, whole: bytes, now: float, *, last: bool = False) -> None:
        """Send the answer that is owed, at a time of the loop, and end if it is the last one."""

    def read(self, data: bytes) -> None:
        """Take a request the long way, which is owed an answer."""

    def again(self, request: Request, *, last: bool, settled: bool) -> None:
        """Answer a request anew, which is owed an answer."""

    def abandon(self) -> None:
        """End at once, for an answer that is owed cannot be given."""


class Judgement(NamedTuple):
    """An answer that was found in this turn."""

    connection: Asking
    request: Request
    whole: bytes
    last: bool
    """Whether the connection ends with it."""
    settled: bool
    """Whether what needed a moment has had it: then the request is not made to wait again."""


class Turn:
    """What is owed at the end of this turn of the loop, to all its connections."""

    __slots__ = ("anew", "began", "judged", "known", "loop", "new", "noting", "owed", "world")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Belong to a loop."""
        self.loop = loop
        self.owed: list[tuple[Asking, Repeat, bytes]] = []
        self.judged: list[Judgement] = []
        self.new: list[tuple[bytes, float]] = []
        """The decisions in what was judged."""
        self.known: dict[int, Repeat] | None = None
        """What is known in the World of this turn, once it has begun."""
        self.world: World | None = None
        self.began = 0.0
        self.anew = False
        """Whether what was owed is judged anew: then everything is recorded at once, and nothing is owed any more."""
        self.noting = 0.0
        """The moment as which uses of credentials are noted: each of them once a second at most."""

    def begin(self) -> dict[int, Repeat]:
        """Begin with the newest World, if it has not begun yet; return what is known in it."""
        if self.known is None:
            self.began = time.time()
            try:
                self.world = CURRENT.now()
                self.known = self.world.memory.repeats
            except Unavailable:
                self.world, self.known = None, NOTHING  # the long way knows the words for this
            self.loop.call_soon(self.end)  # once everything that has arrived is read
        return self.known

    def takes(self, connection: Asking, data: bytes) -> bool:
        """Return whether these bytes, which begin where a request begins, are one that came before.

        If so it is answered at the end of the turn, or read by the connection then if it cannot be.
        """
        known = (self.known or self.begin()).get(hash(data))
        if known is None or known.check != hash(connection.mark + data) or self.began >= known.until:
            known = but_for_its_url(connection.mark, data, self.world, self.began) if self.world is not None else None
        if known is None:
            return False
        self.owed.append((connection, known, data))
        return True

    def record(self, rest: bytes, at: float) -> None:
        """Take a decision that is made now: it is recorded at the end of the turn."""
        if self.anew:
            record(rest, at)
        else:
            self.new.append((rest, at))

    def owe(self, judgement: Judgement) -> None:
        """Give an answer at the end of the turn, after the decisions in it are recorded."""
        self.judged.append(judgement)

    def end(self) -> None:
        """Record what is owed, then give it; if some of it does not hold now, or cannot be recorded, all is read."""
        owed, judged, new, world = self.owed, self.judged, self.new, self.world
        self.owed, self.judged, self.new, self.known, self.world = [], [], [], None, None
        if not owed and not new:
            return
        at = time.time()
        holding = [known for _, known, _ in owed if known.since <= at < known.until]
        held = len(holding) == len(owed) and 0 <= at - self.began <= LONGEST
        recorded = held and _recorded(world, holding, new, at)
        self.anew = not recorded
        try:
            self._give(owed, judged, recorded=recorded, at=at)
        finally:
            self.anew = False

    def _give(
        self, owed: list[tuple[Asking, Repeat, bytes]], judged: list[Judgement], *, recorded: bool, at: float
    ) -> None:
        now, noting = self.loop.time(), self.noting
        if not 0 <= at - noting < 1:
            self.noting = noting = at
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
        for connection, request, whole, last, settled in judged:
            try:
                if recorded:
                    connection.give(whole, now, last=last)
                else:
                    connection.again(request, last=last, settled=settled)
            except Exception:
                log.exception("edge.not_given")
                connection.abandon()


def _recorded(world: World | None, holding: list[Repeat], new: list[tuple[bytes, float]], at: float) -> bool:
    """Record what was judged in a World, if that is the newest."""
    try:
        if CURRENT.now() is not world:
            return False
        spool().append_all(holding, at=at, new=new)
    except (Unavailable, SpoolUnavailable):
        return False
    except Exception:
        log.exception("edge.not_recorded")
        return False
    return True
