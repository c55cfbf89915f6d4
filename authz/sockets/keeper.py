"""Keeps the connections of this process: each ends when its right to exist does, or when its time is over.

All of it happens in one event loop. A new World is heard of in another thread and handed over; the connections that a
change may touch are judged anew, in turns, so that five thousand of them do not hold up everybody else. Besides, each
has a timer for the moment at which it would end by itself; then it is judged once more, for what it rests on may have
been prolonged meanwhile. A connection that cannot be judged, because the World is too old, ends.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Coroutine
from functools import partial
from typing import Any

from django.conf import settings

from authz.credentials import renewed
from authz.credentials.usage import USAGE
from authz.decisions.decide import decide
from authz.decisions.facts import Fact, HangUp, ProxyIs
from authz.decisions.world import World
from authz.errors import Unavailable
from authz.lookups.current import CURRENT
from authz.sockets.closing import DISCONNECTED, GONE, NOT_ALLOWED, RESTART, REVOKED, UNAVAILABLE, Closing
from authz.sockets.held import Heard, Held, Kind, entering
from authz.sockets.lifetime import Standing, closing_for, standing
from authz.sockets.touched import Touched, touched

log = logging.getLogger(__name__)

LONGEST_TURN = 0.1
"""Seconds for which connections are judged before others get their turn: 1,000 that end, or 5,000 that stay.

Ending one makes work for those others, for which the next that is to end must not wait.
"""
TOLD_AT_ONCE = 100
"""Connections that hear of a change before others get their turn."""
FARTHEST = 86_400.0
"""Seconds; a timer beyond this is set anew when it rings."""
PREPARING = 0.5
"""Seconds until a connection that has just shaken hands is told of its end once more."""
FRESH_EVERY = 1.0
"""Seconds between two looks at whether the World is too old to let anybody stay."""


def judged(held: Held, world: World, at: float) -> Standing | Closing:
    """Return until when a connection stands in a World, or how it ends."""
    if held.proxy is not None and not _is_believed(held.proxy, world):
        return REVOKED
    if any(is_hung_up(held, fact) for fact in world.hung_up.get(held.who.person, ())):
        return DISCONNECTED
    if (who := renewed(held.who, held.anchor, world)) is None:
        return REVOKED
    decision = decide(held.question._replace(who=entering(who, held.kind), at=at), world)
    if not decision.allowed:
        return closing_for(decision)
    server = world.servers.get(held.server)
    if held.kind is Kind.RELAY and (server is None or server.upstream != held.upstream):
        return NOT_ALLOWED  # it leads to where nobody is carried any more
    longest = server.longest if server is not None and server.longest is not None else None
    stands = standing(
        opened=held.opened,
        longest=settings.AUTHZ_SOCKET_MAX_LIFETIME if longest is None else longest,
        credential=who.until,
        right=decision.until,
    )
    return stands.closing if at >= stands.until else stands


def _is_believed(proxy: ProxyIs, world: World) -> bool:
    """Return whether the proxy that named an address is still trusted by the same proof, whatever it is called now."""
    now = world.proxies.get(proxy.number)
    return now is not None and (now.secret, now.networks) == (proxy.secret, proxy.networks)


Index = dict[Any, set[Held]]
"""Connections by what a change may touch: a person, a server, a credential."""


def is_hung_up(held: Held, fact: HangUp) -> bool:
    """Return whether somebody hung up on this connection: on this one, or on all when it was there already."""
    if fact.person != held.who.person:
        return False
    return fact.connection == held.id or (not fact.connection and held.revision < fact.revision)


class Keeper:
    """The connections of one process."""

    def __init__(self) -> None:
        """Begin with none."""
        self.all: dict[str, Held] = {}
        self._people: Index = {}
        self._servers: Index = {}
        self._credentials: Index = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._unjudged: dict[Held, None] = {}
        """Whom a change may touch, in the order of the changes; each once, however many do."""
        self._untold: deque[Heard] = deque()
        """New Worlds that not everybody who listens has heard of."""
        self._working: asyncio.Task[None] | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Follow the World from now on, in this loop."""
        self._loop = loop
        CURRENT.heard.append(self.hear)
        self._do(self._watch())

    async def stop(self, closing: Closing = RESTART) -> None:
        """End every connection, and follow nothing any more."""
        CURRENT.heard.remove(self.hear)
        for work in list(self._work):
            work.cancel()
        for held in list(self.all.values()):
            self.end(held, closing)
        self._loop = None

    def admit(self, held: Held, world: World) -> Closing | None:
        """Take a connection in, or return why it cannot stay; whoever serves it calls `release` at its end."""
        found = judged(held, world, time.time())
        if isinstance(found, Closing):
            return found
        self.all[held.id] = held
        for index, key in self._indices(held):
            index.setdefault(key, set()).add(held)
        self._stand(held, found)
        if (newest := CURRENT.world) is not None and newest is not world:
            self._judge(held)  # the World moved on between the handshake and now, and told only who was here
        return held.ended

    def release(self, held: Held) -> None:
        """Forget a connection that is over."""
        if self.all.pop(held.id, None) is None:
            return
        held.ended = held.ended or GONE
        for index, key in self._indices(held):
            index[key].discard(held)
            if not index[key]:
                del index[key]
        if held.timer is not None:
            held.timer.cancel()
            held.timer = None
        held.on_change = None

    def used(self, held: Held) -> None:
        """Note that the client sent something: that is a use of its session, which does not idle meanwhile."""
        kind, _, number = held.who.credential.partition(":")
        if kind == "session":
            USAGE.session_used(int(number), time.time())
        elif kind == "key":
            USAGE.key_used(int(number), time.time())

    def end(self, held: Held, closing: Closing) -> None:
        """End a connection now; once."""
        if held.ended is not None:
            return
        held.ended = closing
        log.info("socket.ended", extra={"connection": held.id, "code": closing.code, "reason": closing.reason})
        try:
            held.on_end(closing)
        except Exception:
            log.exception("socket.not_ended")

    def _indices(self, held: Held) -> tuple[tuple[Index, Any], ...]:
        return (
            (self._people, held.who.person),
            (self._servers, held.server),
            (self._credentials, held.who.credential),
        )

    def _do(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task

    # Time.

    def _stand(self, held: Held, stands: Standing) -> None:
        """Set the timer for the notice, or for the end if that was given."""
        if held.standing != stands:
            held.standing, held.notified = stands, False
        if held.timer is not None:
            held.timer.cancel()
        if self._loop is None:
            return
        left = stands.until - time.time()
        if not held.notified:
            left -= settings.AUTHZ_SOCKET_NOTICE
        held.timer = self._loop.call_later(min(max(left, 0.0), FARTHEST), partial(self._ring, held))

    def _ring(self, held: Held) -> None:
        """Judge a connection whose time has come, and give notice if it ends soon."""
        if held.ended is not None or held.id not in self.all:
            return
        self._judge(held)
        if held.is_over or held.standing is None:
            return
        left = held.standing.until - time.time()
        if held.notified or left > settings.AUTHZ_SOCKET_NOTICE or self._loop is None:
            return
        if held.on_notice is None:
            if held.timer is not None:
                held.timer.cancel()  # judging has just set one, which would ring at once and again and again
            held.timer = self._loop.call_later(min(max(left, 0.0), PREPARING), partial(self._ring, held))
            return
        held.notified = True
        try:
            held.on_notice(held.standing.closing, max(left, 0.0))
        except Exception:
            log.exception("socket.not_noticed")
        self._stand(held, held.standing)

    def _judge(self, held: Held) -> None:
        try:
            found = judged(held, CURRENT.now(), time.time())
        except Unavailable:
            found = UNAVAILABLE
        except Exception:
            log.exception("socket.not_judged")
            found = UNAVAILABLE
        if isinstance(found, Closing):
            self.end(held, found)
        else:
            self._stand(held, found)

    async def _watch(self) -> None:
        """End everything once the World is too old: what was revoked meanwhile, nobody here would know."""
        while True:
            await asyncio.sleep(FRESH_EVERY)
            try:
                CURRENT.now()
            except Unavailable:
                for held in list(self.all.values()):
                    self.end(held, UNAVAILABLE)

    # Change.

    def hear(self, before: World, after: World, facts: tuple[Fact, ...] | None) -> None:
        """Take over a new World; called in another thread."""
        if (loop := self._loop) is not None and self.all:
            loop.call_soon_threadsafe(self._moved, Heard(before, after, facts))

    def _moved(self, heard: Heard) -> None:
        """Judge whom a new World may touch, first of all; then let whoever wants to know hear of it."""
        for fact in heard.facts or ():
            if isinstance(fact, HangUp):
                for held in list(self._people.get(fact.person, ())):
                    if is_hung_up(held, fact):
                        self.end(held, DISCONNECTED)
        found = None if heard.facts is None else touched(heard.facts, heard.before)
        self._unjudged.update(dict.fromkeys(self._concerned(found)))
        self._untold.append(heard)
        self._judge_some()
        if self._working is None:
            self._working = self._do(self._catch_up())

    async def _catch_up(self) -> None:
        """Judge and tell the rest, with turns for everybody else in between; one after another, however much comes."""
        try:
            while self._unjudged or self._untold:
                if self._unjudged:
                    await asyncio.sleep(0)
                    self._judge_some()
                else:
                    await self._tell(self._untold.popleft())
        finally:
            self._working = None

    def _judge_some(self) -> None:
        turn_ends = time.monotonic() + LONGEST_TURN
        while self._unjudged and time.monotonic() < turn_ends:
            held = next(iter(self._unjudged))
            del self._unjudged[held]
            if not held.is_over and held.id in self.all:
                self._judge(held)

    async def _tell(self, heard: Heard) -> None:
        listening = [held for held in self.all.values() if held.on_change is not None]
        for number, held in enumerate(listening, start=1):
            if held.on_change is not None and not held.is_over:
                try:
                    held.on_change(heard)
                except Exception:
                    log.exception("socket.not_told")
            if number % TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)
                self._judge_some()

    def _concerned(self, found: Touched | None) -> list[Held]:
        if found is None or found.everybody:
            return list(self.all.values())
        concerned: set[Held] = set()
        indices: tuple[tuple[Index, frozenset[Any]], ...] = (
            (self._people, found.people),
            (self._servers, found.servers),
            (self._credentials, found.credentials),
        )
        for index, keys in indices:
            for key in keys:
                concerned |= index.get(key, set())
        return list(concerned)


KEEPER = Keeper()
