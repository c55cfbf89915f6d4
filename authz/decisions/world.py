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


MOST_REMEMBERED = 24_576
"""Things remembered with one World: a person takes three of them, some six kilobytes in all."""
MOST_URLS = 8192
"""URLs remembered with one World, at most some 300 bytes each in practice."""
CLOSED = Door({}, {}, frozenset(), limited=False)

Numbers = Map[int, frozenset[int]]


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

    memo: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Remembers what follows from this World alone; it goes when the World goes, so it cannot be stale."""

    urls: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Remembers where URLs lead; apart from the rest, for there is no end of URLs."""

    def remember_url(self, url: str, value: Any) -> None:  # noqa: ANN401  whatever follows from a World
        """Remember where a URL leads, and forget all others when they become too many."""
        if len(self.urls) >= MOST_URLS:
            self.urls.clear()
        self.urls[url] = value

    def remember(self, name: Any, value: Any) -> None:  # noqa: ANN401  whatever follows from a World
        """Remember something, and forget everything else when it becomes too much."""
        if len(self.memo) >= MOST_REMEMBERED:
            self.memo.clear()
        self.memo[name] = value


EMPTY = World()
