"""Builds a whole World at once from everything there is; the same World that applying the facts one by one makes."""

from collections.abc import Iterable
from dataclasses import dataclass

from immutables import Map

from authz.decisions import facts as f
from authz.decisions.applied import above, hung_up
from authz.decisions.membership import leading
from authz.decisions.names import fold
from authz.decisions.world import Door, World


@dataclass(frozen=True, slots=True)
class Everything:
    """All facts of one revision, each kind in any order."""

    people: Iterable[f.PersonIs] = ()
    groups: Iterable[f.GroupIs] = ()
    members: Iterable[tuple[int, int, float | None]] = ()
    """Person, group and the end of the membership, each pair once; plain tuples, for there may be millions."""
    nests: Iterable[tuple[int, int]] = ()
    """Child and parent."""
    servers: Iterable[f.ServerIs] = ()
    grants: Iterable[f.GrantIs] = ()
    keys: Iterable[f.KeyIs] = ()
    sessions: Iterable[f.SessionIs] = ()
    issuers: Iterable[f.IssuerIs] = ()
    proxies: Iterable[f.ProxyIs] = ()
    hung_up: Iterable[f.HangUp] = ()
    """In the order of their revisions."""


def built(everything: Everything, *, revision: int = 0, mark: str = "", epoch: str = "") -> World:
    """Return the World in which exactly these facts hold."""
    people = {person.number: person for person in everything.people}
    groups = {group.number: group for group in everything.groups}
    servers = {server.number: server for server in everything.servers}
    grants = {grant.number: grant for grant in everything.grants}
    keys = {key.digest: key for key in everything.keys}
    sessions = {session.digest: session for session in everything.sessions}
    # A number that names somebody is one object wherever it stands. Each row brings its own, and a million of those all
    # over the memory would cost more to look at than the rest of a decision.
    one = dict(zip(people, people, strict=True)), dict(zip(groups, groups, strict=True))
    direct, timed = _memberships(everything.members, *one)
    parents, children = _nestings(everything.nests, one[1])
    ancestors = {number: above(parents, number) for number in groups}
    given = frozenset(number for number, group in groups.items() if group.everyone)
    world = World(
        revision=revision,
        mark=mark,
        epoch=epoch,
        people=Map(people),
        by_email=Map({person.email: number for number, person in people.items()}),
        direct=Map(direct),
        timed=Map(timed),
        groups=Map(groups),
        by_group_name=Map({fold(group.name): number for number, group in groups.items()}),
        parents=Map(parents),
        children=Map(children),
        ancestors=ancestors,
        given=given,
        everyone=frozenset().union(*(ancestors[number] for number in given)),
        servers=Map(servers),
        by_server_name=Map({fold(server.name): number for number, server in servers.items()}),
        routes=_routes(servers.values()),
        grants=Map(grants),
        doors=_doors(grants.values()),
        keys=Map(keys),
        key_digests=Map({key.number: digest for digest, key in keys.items()}),
        sessions=Map(sessions),
        session_digests=Map({session.number: digest for digest, session in sessions.items()}),
        issuers=Map({issuer.issuer: issuer for issuer in everything.issuers}),
        proxies=Map({proxy.number: proxy for proxy in everything.proxies}),
        hung_up=_hung_up(everything.hung_up),
    )
    for server, door in world.doors.items():
        leading(world, server, door)  # now, so that nobody who asks has to wait for it
    return world


def _memberships(
    members: Iterable[tuple[int, int, float | None]], people: dict[int, int], groups: dict[int, int]
) -> tuple[dict[int, tuple[int, ...]], dict[int, tuple[tuple[int, float], ...]]]:
    lasting: dict[int, list[int]] = {}
    ending: dict[int, list[tuple[int, float]]] = {}
    for member, of, until in members:
        person, group = people.get(member, member), groups.get(of, of)
        if until is None:
            lasting.setdefault(person, []).append(group)
        else:
            ending.setdefault(person, []).append((group, until))
    return (
        {person: tuple(sorted(found)) for person, found in lasting.items()},
        {person: tuple(sorted(pairs)) for person, pairs in ending.items()},
    )


def _nestings(
    nests: Iterable[tuple[int, int]], groups: dict[int, int]
) -> tuple[dict[int, frozenset[int]], dict[int, frozenset[int]]]:
    up: dict[int, set[int]] = {}
    down: dict[int, set[int]] = {}
    for below, above_it in nests:
        child, parent = groups.get(below, below), groups.get(above_it, above_it)
        up.setdefault(child, set()).add(parent)
        down.setdefault(parent, set()).add(child)
    return (
        {child: frozenset(found) for child, found in up.items()},
        {parent: frozenset(found) for parent, found in down.items()},
    )


def _hung_up(facts: Iterable[f.HangUp]) -> Map[int, tuple[f.HangUp, ...]]:
    found: dict[int, list[f.HangUp]] = {}
    for fact in facts:
        found.setdefault(fact.person, []).append(fact)
    return Map({person: hung_up(each) for person, each in found.items()})


def _routes(servers: Iterable[f.ServerIs]) -> Map[str, Map[str, int]]:
    hosts: dict[str, dict[str, int]] = {}
    for server in servers:
        for host, prefix in server.routes:
            hosts.setdefault(host, {})[prefix] = server.number
    return Map({host: Map(prefixes) for host, prefixes in hosts.items()})


def _doors(grants: Iterable[f.GrantIs]) -> Map[int, Door]:
    held: dict[int, list[f.GrantIs]] = {}
    for grant in grants:
        held.setdefault(grant.server, []).append(grant)
    return Map({server: Door.of(found) for server, found in held.items()})
