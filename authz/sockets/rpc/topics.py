"""What one connection follows, and what it has yet to be told; never more than one notification for each topic.

    {"topic": "me", "revision": "3f9c2a51.1042", "groups": ["engineering", "users"], "active": true}
    {"topic": "everybody", "revision": "3f9c2a51.1042", "people": ["alice@example.com"]}     null for anybody

A client that does not read while much changes is later told the sum of it, so what waits for it never grows.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from authz.credentials import renewed
from authz.decisions.facts import Fact, MemberIs
from authz.decisions.membership import standing
from authz.decisions.scopes import GROUPS_READ
from authz.decisions.vocabulary import FOREVER, Principal
from authz.decisions.world import World
from authz.formats import revision
from authz.sockets.held import Heard, Held
from authz.sockets.rpc.concerned import MOST_TOLD, NOBODY_NOW, Own, concerns, ended, named, own, people_concerned

ME: Final = "me"
EVERYBODY: Final = "everybody"
TOPICS: Final = (ME, EVERYBODY)
CHANGED: Final = "changed"
ENDED: Final = "subscription.ended"


LOOK_EVERY: Final = 1.0
"""Seconds between two looks at whose memberships ended by themselves, where everybody is followed."""


class Topics:
    """The topics of one connection; it belongs to the event loop."""

    __slots__ = ("_held", "_known", "_lost", "_me", "_people", "_since", "_wake", "_world", "due", "following")

    def __init__(self, held: Held, wake: Callable[[], None] = lambda: None) -> None:
        """Begin with none; `wake` is called whenever there may be something to tell, or to look at."""
        self._held = held
        self._wake = wake
        self.following: set[str] = set()
        self.due = FOREVER
        """When to look at what ended by itself, in seconds since the epoch."""
        self._since = 0.0
        """Up to when that is known."""
        self._known: Own = NOBODY_NOW
        """What the caller knows of itself."""
        self._me = False
        """Whether something is to be told of the caller."""
        self._people: set[str] | None = set()
        """Of whom something is to be told; None for anybody."""
        self._lost = False
        """Whether it is to be told that everybody is followed no more."""
        self._world: World | None = None
        """The newest that was heard of."""

    def follow(self, topics: list[str], who: Principal, world: World, at: float) -> None:
        """Follow topics as well, in which the caller is taken to know this World; whoever calls this has asked."""
        if ME in topics:
            self._known = own(world, who, at)
        if EVERYBODY in topics and EVERYBODY not in self.following:
            self._since = at
        self.following.update(topics)
        self._world = world
        self.due = 0.0
        self._wake()

    def leave(self, topics: list[str]) -> None:
        """Follow topics no more, and forget what was to be told of them."""
        self.following.difference_update(topics)
        self._me = self._me and ME in self.following
        if EVERYBODY not in self.following:
            self._people = set()

    def heard(self, heard: Heard, at: float) -> None:
        """Note what a new World means to the caller."""
        if not self.following or (who := self._who(heard.after)) is None:
            return
        self._world = heard.after
        if (
            ME in self.following
            and _told_of(heard, who)
            and concerns(*_change(heard), who=who, known=self._known, at=at)
        ):
            self._me = True
        if EVERYBODY in self.following:
            if GROUPS_READ in (who.scopes or ()):
                self._add(_people_of(heard))
            else:
                self.leave([EVERYBODY])
                self._lost = True
        ends = [0.0] if heard.facts is None else [fact.until for fact in heard.facts if isinstance(fact, MemberIs)]
        due = min([each for each in ends if each is not None], default=FOREVER)
        if self._me or self._lost or self._people is None or self._people or due < self.due:
            self.due = min(self.due, due)
            self._wake()

    async def look(self, at: float) -> None:
        """Note what ended by itself until `at`, and when to look again."""
        world, self.due = self._world, FOREVER
        if world is not None and EVERYBODY in self.following:
            people, following = await asyncio.to_thread(ended, world, self._since, at)
            self._since = at
            if EVERYBODY in self.following:
                self._add(people)
                self.due = min(self.due, max(following, at + LOOK_EVERY))
        if world is not None and ME in self.following and (who := self._who(world)) is not None:
            self._me = self._me or own(world, who, at) != self._known
            if (person := world.people.get(who.person)) is not None:
                self.due = min(self.due, standing(world, person, at)[2])

    def news(self, at: float) -> list[tuple[str, dict[str, Any]]]:
        """Return what is to be told now, as methods and their parameters, and take it as told."""
        told: list[tuple[str, dict[str, Any]]] = []
        if (world := self._world) is None or (who := self._who(world)) is None:
            return told
        known = revision.make(world.epoch, world.revision)
        if self._lost:
            told.append((ENDED, {"topic": EVERYBODY, "reason": "not-allowed"}))
        if self._me:
            self._known = own(world, who, at)
            groups = [name for name, _ in self._known.groups]
            told.append((CHANGED, {"topic": ME, "revision": known, "groups": groups, "active": self._known.active}))
        if self._people is None or self._people:
            people = None if self._people is None else sorted(self._people)
            told.append((CHANGED, {"topic": EVERYBODY, "revision": known, "people": people}))
        self._lost, self._me, self._people = False, False, set()
        return told

    def _who(self, world: World) -> Principal | None:
        """Return the caller in a World; None if their credential ended, and so the connection."""
        return renewed(self._held.who, self._held.anchor, world)

    def _add(self, people: frozenset[str] | None) -> None:
        if people is None or self._people is None:
            self._people = None
            return
        self._people |= people
        if len(self._people) > MOST_TOLD:
            self._people = None


def _told_of(heard: Heard, who: Principal) -> bool:
    """Return whether a change can be about somebody: one look-up, for most changes are about others."""
    if (found := heard.worked_out.get("named")) is None:
        found = heard.worked_out["named"] = named(heard.facts)
    return found.anybody or who.person in found.people or who.credential in found.credentials


def _people_of(heard: Heard) -> frozenset[str] | None:
    if "people" not in heard.worked_out:
        heard.worked_out["people"] = people_concerned(*_change(heard))
    people: frozenset[str] | None = heard.worked_out["people"]
    return people


def _change(heard: Heard) -> tuple[tuple[Fact, ...] | None, World, World]:
    return heard.facts, heard.before, heard.after
