"""What is true at one revision, as one immutable value.

Big tables are persistent maps, so that the next World shares with this one all that did not change, and a change
costs its own size. `applied` makes the next World from facts; nothing here asks a database.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from immutables import Map

from authz.decisions.facts import (
    GrantIs,
    GroupIs,
    HangUp,
    IssuerIs,
    KeyIs,
    PersonIs,
    ProxyIs,
    ServerIs,
    SessionIs,
)


@dataclass(frozen=True, slots=True)
class Door:
    """The grants on one server, ordered for deciding."""

    by_group: dict[int, tuple[GrantIs, ...]]
    by_person: dict[int, tuple[GrantIs, ...]]
    groups: frozenset[int]
    limited: bool
    """Whether some grant is limited to tools."""

    @classmethod
    def of(cls, grants: Iterable[GrantIs]) -> "Door":
        """Sort grants by holder; the ones without conditions come first, and by number for a stable answer."""
        by_group: dict[int, list[GrantIs]] = {}
        by_person: dict[int, list[GrantIs]] = {}
        grants = list(grants)
        for grant in sorted(
            grants, key=lambda g: (bool(g.networks), g.until is not None, g.tools is not None, g.number)
        ):
            if grant.group is not None:
                by_group.setdefault(grant.group, []).append(grant)
            elif grant.person is not None:
                by_person.setdefault(grant.person, []).append(grant)
        return cls(
            {holder: tuple(found) for holder, found in by_group.items()},
            {holder: tuple(found) for holder, found in by_person.items()},
            frozenset(by_group),
            any(grant.tools is not None for grant in grants),
        )

    def grants(self) -> list[GrantIs]:
        """Return every grant, by number."""
        found = [grant for held in (*self.by_group.values(), *self.by_person.values()) for grant in held]
        return sorted(found, key=lambda grant: grant.number)


CLOSED = Door({}, {}, frozenset(), limited=False)

Numbers = Map[int, frozenset[int]]
Leading = Mapping[int, tuple[int, ...]]
"""Group to the groups that hold a grant and that it is, or is in."""


def below(children: Numbers, start: int) -> list[int]:
    """Return a group and every group below it."""
    found, seen = [start], {start}
    for group in found:
        for child in children.get(group, ()):
            if child not in seen:
                seen.add(child)
                found.append(child)
    return found


class Memo(dict[Any, Any]):
    """Remembers a limited number of things, and forgets them all when they become too many."""

    __slots__ = ("most",)

    def __init__(self, most: int) -> None:
        """Begin knowing nothing."""
        self.most = most

    def keep(self, name: Any, value: Any) -> None:  # noqa: ANN401  whatever follows from a World
        """Remember something."""
        if len(self) >= self.most:
            self.clear()
        self[name] = value


class Memory:
    """What has been worked out from one World, each kind apart, so that many of one do not push out another."""

    __slots__ = ("answers", "apart", "checks", "identities", "proxies", "repeats", "services", "standings", "urls")

    def __init__(self) -> None:
        """Begin knowing nothing; the sizes add up to some 140 MB when everything is full."""
        self.standings = Memo(4096)
        """Person to all their groups: some eight kilobytes each."""
        self.identities = Memo(8192)
        """Person to the headers that name them: one or two kilobytes."""
        self.answers = Memo(16_384)
        """What was judged: one kilobyte."""
        self.apart = Memo(16_384)
        """Requests without their URL, as a hash, to what they say: 700 bytes."""
        self.checks = Memo(65_536)
        """What services asked, as a hash: 100 bytes."""
        self.services = Memo(1024)
        """The credentials of services, as a hash, to whose they are: 500 bytes."""
        self.repeats = Memo(32_768)
        """Requests, byte for byte, to what was judged of them: one kilobyte."""
        self.urls = Memo(8192)
        """Where URLs lead, of which there is no end: 300 bytes."""
        self.proxies = Memo(4096)
        """Connections that a trusted proxy made: 200 bytes."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything deciding needs to know, at one revision."""

    revision: int = 0
    mark: str = ""
    """Drawn at random when this revision was written: another history may have a revision of the same number."""
    epoch: str = ""
    """Names the history that revisions count in, as callers are told; `manage.py new_epoch` begins another."""

    people: Map[int, PersonIs] = Map()
    by_email: Map[str, int] = Map()
    direct: Map[int, tuple[int, ...]] = Map()
    """Person to the groups they are directly in without end."""
    timed: Map[int, tuple[tuple[int, float], ...]] = Map()
    """Person to the groups they are directly in until a time."""

    groups: Map[int, GroupIs] = Map()
    by_group_name: Map[str, int] = Map()
    parents: Numbers = Map()
    children: Numbers = Map()
    ancestors: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """Group to itself and every group above it.

    A plain dictionary, never changed in place: it is asked for every direct group of everybody who comes, which a
    persistent map would make several times slower, and copied when groups are nested, which is rare and takes
    some ten microseconds for each thousand groups.
    """
    given: frozenset[int] = frozenset()
    """The groups that every active human is in without a row."""
    everyone: frozenset[int] = frozenset()
    """Those groups, and the ones above them."""

    servers: Map[int, ServerIs] = Map()
    by_server_name: Map[str, int] = Map()
    routes: Map[str, Map[str, int]] = Map()
    """Host to path prefix to server."""
    grants: Map[int, GrantIs] = Map()
    doors: Map[int, Door] = Map()

    keys: Map[str, KeyIs] = Map()
    key_digests: Map[int, str] = Map()
    sessions: Map[str, SessionIs] = Map()
    session_digests: Map[int, str] = Map()
    issuers: Map[str, IssuerIs] = Map()
    proxies: Map[int, ProxyIs] = Map()

    hung_up: Map[int, tuple[HangUp, ...]] = Map()
    """Person to those of their connections that were hung up last, the newest last."""

    leading: dict[int, tuple[Door, Numbers, Leading]] = field(default_factory=dict, repr=False, compare=False)
    """Server to the groups that lead to it, with the door and the nesting from which that follows: see `leading`.

    It is handed on from World to World, for it holds as long as those two are the very same.
    """
    memory: Memory = field(default_factory=Memory, init=False, repr=False, compare=False)
    """What follows from this World alone; it goes when the World goes, so it cannot be stale."""


EMPTY = World()
