"""Whom a change concerns: a caller who follows their own right, or a service that keeps a copy of everybody's.

Telling too many costs them a question; telling too few leaves a copy wrong. So what is not known to change nothing is
told, and what a change costs here is its own size and not the size of the organisation. Pure.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from authz.decisions import facts as f
from authz.decisions.membership import NOBODY, groups_of
from authz.decisions.vocabulary import FOREVER, Principal
from authz.decisions.world import CLOSED, World

MOST_TOLD: Final = 1000
"""People named in one notification; where more may be concerned, anybody may be."""


class Own(NamedTuple):
    """What somebody is, and in which groups."""

    email: str
    active: bool
    scopes: frozenset[str] | None
    groups: tuple[tuple[str, int], ...]
    """Names and numbers, sorted."""


NOBODY_NOW: Final = Own("", active=False, scopes=None, groups=())


def own(world: World, who: Principal, at: float) -> Own:
    """Return what a principal is in a World; somebody suspended is in no group."""
    if (person := world.people.get(who.person)) is None:
        return NOBODY_NOW
    numbers = groups_of(world, person, at) if person.active else NOBODY
    groups = sorted((world.groups[number].name, number) for number in numbers if number in world.groups)
    return Own(person.email, person.active, who.scopes, tuple(groups))


def concerns(  # noqa: PLR0913  a change, and whom it may concern
    facts: tuple[f.Fact, ...] | None, before: World, after: World, *, who: Principal, known: Own, at: float
) -> bool:
    """Return whether a change may concern somebody of whom `known` was the case: their groups, or what they reach."""
    if facts is None:
        return True
    told = named(facts)
    if not (told.anybody or who.person in told.people or who.credential in told.credentials):
        return False
    if own(after, who, at) != known:
        return True
    groups = _groups(before, who.person, at) | _groups(after, who.person, at)
    return any(_moves_a_door(fact, before, after, who.person, groups) for fact in facts)


class Named(NamedTuple):
    """Whom the facts of a change name; or that they may be about anybody."""

    anybody: bool
    people: frozenset[int] = frozenset()
    credentials: frozenset[str] = frozenset()


def named(facts: Iterable[f.Fact] | None) -> Named:
    """Return whom a change can be about."""
    people: set[int] = set()
    credentials: set[str] = set()
    for fact in facts or ():
        match fact:
            case f.PersonIs() | f.PersonGone():
                people.add(fact.number)
            case f.MemberIs() | f.MemberGone():
                people.add(fact.person)
            case f.KeyIs() | f.KeyGone():
                credentials.add(f"key:{fact.number}")
            case (
                f.SessionIs()
                | f.SessionGone()
                | f.IssuerIs()
                | f.IssuerGone()
                | f.ProxyIs()
                | f.ProxyGone()
                | f.HangUp()
            ):
                pass
            case _:
                return Named(anybody=True)
    return Named(facts is None, frozenset(people), frozenset(credentials))


def _groups(world: World, person: int, at: float) -> frozenset[int]:
    held = world.people.get(person)
    return groups_of(world, held, at) if held is not None else NOBODY


def _moves_a_door(fact: f.Fact, before: World, after: World, person: int, groups: frozenset[int]) -> bool:
    """Return whether a fact is about a grant that somebody holds, or about a server on which they hold one."""
    match fact:
        case f.GrantIs() | f.GrantGone():
            grants = (world.grants.get(fact.number) for world in (before, after))
            return any(grant is not None and (grant.person == person or grant.group in groups) for grant in grants)
        case f.ServerIs() | f.ServerGone():
            if _as_reached(before, fact.number) == _as_reached(after, fact.number):
                return False
            doors = (world.doors.get(fact.number, CLOSED) for world in (before, after))
            return any(person in door.by_person or not groups.isdisjoint(door.groups) for door in doors)
        case _:
            return False


def _as_reached(world: World, number: int) -> object:
    """Return what of a server those who reach it notice."""
    server = world.servers.get(number)
    return server and (server.name, server.kind, server.enabled, server.tools, server.switched_off, server.routes)


def people_concerned(facts: Iterable[f.Fact] | None, before: World, after: World) -> frozenset[str] | None:
    """Return the e-mail addresses, old and new, of those whose groups a change may have changed; None for anybody's."""
    if facts is None:
        return None
    numbers: set[int] = set()
    for fact in facts:
        match fact:
            case f.PersonIs() | f.PersonGone():
                numbers.add(fact.number)
            case f.MemberIs() | f.MemberGone():
                numbers.add(fact.person)
            case f.GroupIs() if fact.everyone or before.groups.get(fact.number, fact) != fact:
                return None
            case f.GroupGone() | f.NestIs() | f.NestGone():
                return None
    if len(numbers) > MOST_TOLD:
        return None
    worlds = (before, after)
    found = frozenset(world.people[number].email for number in numbers for world in worlds if number in world.people)
    return found if len(found) <= MOST_TOLD else None


def ended(world: World, since: float, at: float) -> tuple[frozenset[str], float]:
    """Return whose memberships ended by themselves after `since` and until `at`, and when the next of all will end.

    It looks at every membership that has an end: some ten milliseconds for a hundred thousand.
    """
    people: set[str] = set()
    following = FOREVER
    for number, pairs in world.timed.items():
        for _, until in pairs:
            if until > at:
                following = min(following, until)
            elif until > since and number in world.people:
                people.add(world.people[number].email)
    return frozenset(people), following
