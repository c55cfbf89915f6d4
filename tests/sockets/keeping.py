"""A keeper of connections with everybody's in it, and how they ended."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from authz.decisions import facts as f
from authz.decisions.applied import applied
from authz.decisions.vocabulary import ANY_TOOL, IDENTITY, Action, Principal, Question, Target, Where
from authz.lookups.current import current_world
from authz.sockets.closing import Closing
from authz.sockets.held import Held, Kind
from authz.sockets.keeper import Keeper
from tests.credentials.issuer import trusted
from tests.people import ALICE, BOB, CRM, SEARCH, live_in, world

FAR = 4e9
PROXY_FACT = next(iter(world().proxies.values()))


def here():
    """Return the World in which an issuer is trusted besides, and Bob may use search as well by a grant of his own."""
    return applied(world(), [trusted(7), f.GrantIs(50, None, BOB, "use", SEARCH, None, None, ())])


def held(person, credential, server=SEARCH, *, until=FAR, opened=None, proxy=None, address="192.0.2.1"):
    """Return a connection that was let in."""
    scopes = frozenset({"use"}) if credential.startswith("key") else None
    who = Principal(person, credential, scopes, until)
    target = Target(Where.SERVER, server) if server else IDENTITY
    now = time.time() if opened is None else opened
    question = Question(who, Action.USE, target, now, ANY_TOOL, address)
    return Held(Kind.RELAY if server else Kind.RPC, question, here(), opened=now, address=address, proxy=proxy)


def cast():
    """Return everybody's connections, by name."""
    return {
        "alice by session": held(ALICE, f"session:{ALICE * 10}"),
        "alice by key": held(ALICE, f"key:{ALICE * 10}"),
        "alice by token": held(ALICE, "jwt:7"),
        "alice on the interface": held(ALICE, f"session:{ALICE * 10}", 0),
        "alice through a proxy": held(ALICE, f"key:{ALICE * 10}", proxy=PROXY_FACT),
        "bob on crm": held(BOB, f"session:{BOB * 10}", CRM),
        "bob on search": held(BOB, f"session:{BOB * 10}"),
    }


class Timer:
    """What is to be called at a moment."""

    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at, self.call, self.cancelled = at, call, False

    def cancel(self) -> None:
        """Call nothing."""
        self.cancelled = True


class Clock:
    """An event loop as a keeper sees it, whose time passes only when a test says so, and with it everybody's."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now, self._timers = time.time(), list[Timer]()
        patch.setattr(time, "time", lambda: self.now)

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call something when so much time has passed."""
        self._timers.append(Timer(self.now + seconds, call))
        return self._timers[-1]

    def call_soon_threadsafe(self, call: Callable[..., None], *arguments: Any) -> None:
        """Call something in the loop that runs the test."""
        self._loop.call_soon_threadsafe(call, *arguments)

    def begin(self) -> None:
        """Belong to the loop that runs."""
        self._loop = asyncio.get_running_loop()

    def passes(self, seconds: float) -> None:
        """Let so much time pass, and ring every timer at its moment."""
        ends, left = self.now + seconds, 1000
        while due := [each for each in self._timers if each.at <= ends and not each.cancelled]:
            assert (left := left - 1), "a timer rings again and again and no time passes"
            first = min(due, key=lambda each: each.at)
            self._timers.remove(first)
            self.now = max(self.now, first.at)
            first.call()
        self.now = ends


class Watched:
    """A keeper with everybody's connections, and how they ended."""

    def __init__(self, clock=None):
        self.keeper, self.all, self.ends = Keeper(), cast(), {}
        self.notices, self.heard = [], []
        self._clock = clock

    def begin(self):
        """Take everybody in."""
        live_in(here())
        if self._clock is not None:
            self._clock.begin()
        self.keeper.start(self._clock or asyncio.get_running_loop())
        for name, each in self.all.items():
            self.watch(name, each)
            assert self.keeper.admit(each, here()) is None, name

    def watch(self, name, each):
        """Note how a connection ends; one that ends twice fails the test."""

        def end(closing: Closing) -> None:
            assert name not in self.ends
            self.ends[name] = closing

        each.on_end = end
        each.on_notice = lambda closing, seconds: self.notices.append((name, closing, round(seconds)))

    async def change(self, facts, *, told=True):
        """Let the World move on, as another thread does."""
        before = current_world()
        after = live_in(applied(before, facts, revision=before.revision + 1))
        await asyncio.to_thread(self.keeper.hear, before, after, tuple(facts) if told else None)
        while self.keeper._working is not None:  # noqa: ASYNC110, SLF001  until everybody is judged and told
            await asyncio.sleep(0)


def run(work):
    """Run a story in an event loop."""
    asyncio.run(work)
