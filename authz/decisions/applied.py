"""Makes the next World from this one and the facts of a change, at the cost of the change alone."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from immutables import Map

from authz.decisions import facts as f
from authz.decisions.names import fold
from authz.decisions.world import CLOSED, Door, Numbers, World, below

NONE: frozenset[int] = frozenset()
HANG_UPS_KEPT = 100
"""Of each person. Every process is told each of them; they are kept for one that has to begin anew."""
Ancestors = Mapping[int, frozenset[int]]


def applied(world: World, changes: Iterable[f.Fact], *, revision: int | None = None, mark: str | None = None) -> World:
    """Return the World after these facts, in their order, stamped with `revision` and `mark` (by default unchanged)."""
    for fact in changes:
        world = APPLY[type(fact)](world, fact)
    return replace(
        world,
        revision=world.revision if revision is None else revision,
        mark=world.mark if mark is None else mark,
    )


def _without(table: Map[Any, Any], key: object) -> Map[Any, Any]:
    return table.delete(key) if key in table else table


def _person_is(world: World, fact: f.PersonIs) -> World:
    by_email = world.by_email
    if (before := world.people.get(fact.number)) is not None:
        by_email = _without(by_email, before.email)
    return replace(world, people=world.people.set(fact.number, fact), by_email=by_email.set(fact.email, fact.number))


def _person_gone(world: World, fact: f.PersonGone) -> World:
    if (before := world.people.get(fact.number)) is None:
        return world
    return replace(
        world,
        people=world.people.delete(fact.number),
        by_email=_without(world.by_email, before.email),
        direct=_without(world.direct, fact.number),
        timed=_without(world.timed, fact.number),
        hung_up=_without(world.hung_up, fact.number),
    )


def _member_is(world: World, fact: f.MemberIs) -> World:
    world = _member_gone(world, f.MemberGone(fact.person, fact.group))
    if fact.until is None:
        groups = (*world.direct.get(fact.person, ()), fact.group)
        return replace(world, direct=world.direct.set(fact.person, tuple(sorted(groups))))
    timed = (*world.timed.get(fact.person, ()), (fact.group, fact.until))
    return replace(world, timed=world.timed.set(fact.person, tuple(sorted(timed))))


def _member_gone(world: World, fact: f.MemberGone) -> World:
    direct, timed = world.direct, world.timed
    if fact.group in direct.get(fact.person, ()):
        left = tuple(group for group in direct[fact.person] if group != fact.group)
        direct = direct.set(fact.person, left) if left else direct.delete(fact.person)
    if any(group == fact.group for group, _ in timed.get(fact.person, ())):
        kept = tuple(pair for pair in timed[fact.person] if pair[0] != fact.group)
        timed = timed.set(fact.person, kept) if kept else timed.delete(fact.person)
    return replace(world, direct=direct, timed=timed)


def _everyone(given: frozenset[int], ancestors: Ancestors) -> frozenset[int]:
    return NONE.union(*(ancestors[group] for group in given))


def _group_is(world: World, fact: f.GroupIs) -> World:
    by_name = world.by_group_name
    if (before := world.groups.get(fact.number)) is not None:
        by_name = _without(by_name, fold(before.name))
    ancestors = world.ancestors
    if fact.number not in ancestors:
        ancestors = {**ancestors, fact.number: frozenset({fact.number})}
    given = world.given | {fact.number} if fact.everyone else world.given - {fact.number}
    return replace(
        world,
        groups=world.groups.set(fact.number, fact),
        by_group_name=by_name.set(fold(fact.name), fact.number),
        ancestors=ancestors,
        given=given,
        everyone=_everyone(given, ancestors),
    )


def _group_gone(world: World, fact: f.GroupGone) -> World:
    """Forget a group and its nestings; its members and grants are told by facts of the same change."""
    if (before := world.groups.get(fact.number)) is None:
        return world
    for parent in world.parents.get(fact.number, NONE):
        world = _nest_gone(world, f.NestGone(fact.number, parent))
    for child in world.children.get(fact.number, NONE):
        world = _nest_gone(world, f.NestGone(child, fact.number))
    ancestors = {number: up for number, up in world.ancestors.items() if number != fact.number}
    given = world.given - {fact.number}
    return replace(
        world,
        groups=world.groups.delete(fact.number),
        by_group_name=_without(world.by_group_name, fold(before.name)),
        ancestors=ancestors,
        given=given,
        everyone=_everyone(given, ancestors),
    )


def above(parents: Numbers | dict[int, frozenset[int]], start: int) -> frozenset[int]:
    """Return a group and every group above it; a cycle in foreign data ends the walk, it does not trap it."""
    found, seen = [start], {start}
    for group in found:
        for parent in parents.get(group, NONE):
            if parent not in seen:
                seen.add(parent)
                found.append(parent)
    return frozenset(found)


def _nest_is(world: World, fact: f.NestIs) -> World:
    if fact.parent in world.parents.get(fact.child, NONE):
        return world
    parents = world.parents.set(fact.child, world.parents.get(fact.child, NONE) | {fact.parent})
    children = world.children.set(fact.parent, world.children.get(fact.parent, NONE) | {fact.child})
    gained = world.ancestors.get(fact.parent, frozenset({fact.parent}))
    ancestors = dict(world.ancestors)
    for group in below(world.children, fact.child):
        ancestors[group] = ancestors.get(group, frozenset({group})) | gained
    return _renested(world, parents, children, ancestors)


def _nest_gone(world: World, fact: f.NestGone) -> World:
    if fact.parent not in world.parents.get(fact.child, NONE):
        return world
    parents = _fewer(world.parents, fact.child, fact.parent)
    children = _fewer(world.children, fact.parent, fact.child)
    ancestors = dict(world.ancestors)
    for group in below(world.children, fact.child):
        ancestors[group] = above(parents, group)
    return _renested(world, parents, children, ancestors)


def _fewer(table: Numbers, key: int, value: int) -> Numbers:
    left = table[key] - {value}
    return table.set(key, left) if left else table.delete(key)


def _renested(world: World, parents: Numbers, children: Numbers, ancestors: Ancestors) -> World:
    return replace(
        world, parents=parents, children=children, ancestors=ancestors, everyone=_everyone(world.given, ancestors)
    )


def _server_is(world: World, fact: f.ServerIs) -> World:
    world = _unrouted(world, fact.number)
    routes = world.routes
    for host, prefix in fact.routes:
        routes = routes.set(host, routes.get(host, Map()).set(prefix, fact.number))
    return replace(
        world,
        servers=world.servers.set(fact.number, fact),
        by_server_name=world.by_server_name.set(fold(fact.name), fact.number),
        routes=routes,
    )


def _unrouted(world: World, number: int) -> World:
    if (before := world.servers.get(number)) is None:
        return world
    routes = world.routes
    for host, prefix in before.routes:
        left = _without(routes.get(host, Map()), prefix)
        routes = routes.set(host, left) if left else _without(routes, host)
    return replace(world, routes=routes, by_server_name=_without(world.by_server_name, fold(before.name)))


def _server_gone(world: World, fact: f.ServerGone) -> World:
    world = _unrouted(world, fact.number)
    with world.grants.mutate() as grants:
        for grant in world.doors.get(fact.number, CLOSED).grants():
            del grants[grant.number]
        left = grants.finish()
    return replace(
        world, servers=_without(world.servers, fact.number), doors=_without(world.doors, fact.number), grants=left
    )


def _grant_is(world: World, fact: f.GrantIs) -> World:
    world = _grant_gone(world, f.GrantGone(fact.number))
    door = Door.of((*world.doors.get(fact.server, CLOSED).grants(), fact))
    return replace(world, grants=world.grants.set(fact.number, fact), doors=world.doors.set(fact.server, door))


def _grant_gone(world: World, fact: f.GrantGone) -> World:
    if (before := world.grants.get(fact.number)) is None:
        return world
    left = [grant for grant in world.doors[before.server].grants() if grant.number != fact.number]
    doors = world.doors.set(before.server, Door.of(left)) if left else world.doors.delete(before.server)
    return replace(world, grants=world.grants.delete(fact.number), doors=doors)


def _key_is(world: World, fact: f.KeyIs) -> World:
    world = _key_gone(world, f.KeyGone(fact.number))
    return replace(
        world, keys=world.keys.set(fact.digest, fact), key_digests=world.key_digests.set(fact.number, fact.digest)
    )


def _key_gone(world: World, fact: f.KeyGone) -> World:
    if (digest := world.key_digests.get(fact.number)) is None:
        return world
    return replace(world, keys=world.keys.delete(digest), key_digests=world.key_digests.delete(fact.number))


def _session_is(world: World, fact: f.SessionIs) -> World:
    world = _session_gone(world, f.SessionGone(fact.number))
    return replace(
        world,
        sessions=world.sessions.set(fact.digest, fact),
        session_digests=world.session_digests.set(fact.number, fact.digest),
    )


def _session_gone(world: World, fact: f.SessionGone) -> World:
    if (digest := world.session_digests.get(fact.number)) is None:
        return world
    return replace(
        world, sessions=world.sessions.delete(digest), session_digests=world.session_digests.delete(fact.number)
    )


def _issuer_is(world: World, fact: f.IssuerIs) -> World:
    world = _issuer_gone(world, f.IssuerGone(fact.number))
    return replace(world, issuers=world.issuers.set(fact.issuer, fact))


def _issuer_gone(world: World, fact: f.IssuerGone) -> World:
    left = [issuer for issuer, held in world.issuers.items() if held.number == fact.number]
    return replace(world, issuers=_without(world.issuers, left[0])) if left else world


def _proxy_is(world: World, fact: f.ProxyIs) -> World:
    return replace(world, proxies=world.proxies.set(fact.number, fact))


def _proxy_gone(world: World, fact: f.ProxyGone) -> World:
    return replace(world, proxies=_without(world.proxies, fact.number))


def _hang_up(world: World, fact: f.HangUp) -> World:
    return replace(world, hung_up=world.hung_up.set(fact.person, hung_up((*world.hung_up.get(fact.person, ()), fact))))


def hung_up(facts: Iterable[f.HangUp]) -> tuple[f.HangUp, ...]:
    """Return of somebody's hang-ups, in the order of their revisions, what still tells something."""
    found = list(facts)
    all_of_them = [number for number, fact in enumerate(found) if not fact.connection]
    # Whatever was hung up before all of them were is among these.
    return tuple(found[all_of_them[-1] if all_of_them else 0 :][-HANG_UPS_KEPT:])


APPLY: dict[type, Callable[[World, Any], World]] = {
    f.PersonIs: _person_is,
    f.PersonGone: _person_gone,
    f.GroupIs: _group_is,
    f.GroupGone: _group_gone,
    f.MemberIs: _member_is,
    f.MemberGone: _member_gone,
    f.NestIs: _nest_is,
    f.NestGone: _nest_gone,
    f.ServerIs: _server_is,
    f.ServerGone: _server_gone,
    f.GrantIs: _grant_is,
    f.GrantGone: _grant_gone,
    f.KeyIs: _key_is,
    f.KeyGone: _key_gone,
    f.SessionIs: _session_is,
    f.SessionGone: _session_gone,
    f.IssuerIs: _issuer_is,
    f.IssuerGone: _issuer_gone,
    f.ProxyIs: _proxy_is,
    f.ProxyGone: _proxy_gone,
    f.HangUp: _hang_up,
}
