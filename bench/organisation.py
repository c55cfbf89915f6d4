"""A large organisation, made up from a fixed seed and written straight into the tables."""

import hashlib
import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction

from authz.conf import signing_key
from authz.formats import api_key, session_token
from authz.models import (
    ApiKey,
    Grant,
    Group,
    Membership,
    Nesting,
    Proxy,
    Revision,
    Route,
    Server,
    Session,
    Tool,
    User,
)

ROWS_AT_ONCE = 5000
PROXY_SECRET = "bench-only-shared-secret"  # noqa: S105  of a database that lives as long as the bench


@dataclass(frozen=True, slots=True)
class Size:
    """How large an organisation is."""

    people: int = 100_000
    groups: int = 5_000
    depth: int = 8
    memberships: int = 1_000_000
    servers: int = 1_000
    grants: int = 20_000
    sessions: int = 6_000


SMALL = Size(people=2_000, groups=200, memberships=20_000, servers=50, grants=500, sessions=300)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody with a session, and a URL that they may open."""

    token: str
    url_path: str
    email: str


@dataclass(frozen=True, slots=True)
class Organisation:
    """What the load needs to know of it."""

    size: Size
    visitors: tuple[Visitor, ...]
    service_key: str


def make(size: Size) -> Organisation:
    """Write the organisation; the tables are empty but for what every installation begins with."""
    chance = random.Random(20_26)  # noqa: S311  the same organisation in every run
    with transaction.atomic():
        return _make(size, chance)


def _make(size: Size, chance: random.Random) -> Organisation:
    now = datetime.now(UTC)
    people = [
        User(
            uid=uuid.UUID(int=chance.getrandbits(128)),
            email=f"person{n}@example.com",
            name=f"Person {n}",
            password="!",  # noqa: S106  nobody signs in with it
        )
        for n in range(size.people)
    ]
    User.objects.bulk_create(people, batch_size=ROWS_AT_ONCE)
    groups = [Group(name=f"group-{n}", folded=f"group-{n}") for n in range(size.groups)]
    Group.objects.bulk_create(groups, batch_size=ROWS_AT_ONCE)
    parents: dict[int, list[int]] = {}
    layer = size.groups // size.depth
    nestings = []
    for n in range(layer, size.groups):
        above = (n // layer - 1) * layer
        parents[n] = sorted({above + chance.randrange(layer) for _ in range(1 + (n % 5 == 0))})
        nestings += [Nesting(child=groups[n], parent=groups[parent]) for parent in parents[n]]
    Nesting.objects.bulk_create(nestings, batch_size=ROWS_AT_ONCE)
    each = size.memberships // size.people
    chosen = [chance.sample(range(size.groups), each) for _ in people]
    Membership.objects.bulk_create(
        (
            Membership(person=person, group=groups[group], given_by="bench")
            for person, found in zip(people, chosen, strict=True)
            for group in found
        ),
        batch_size=ROWS_AT_ONCE,
    )
    servers = [Server(name=f"server-{n}", folded=f"server-{n}", kind="mcp") for n in range(size.servers)]
    Server.objects.bulk_create(servers, batch_size=ROWS_AT_ONCE)
    Route.objects.bulk_create(
        [Route(server=server, host="mcp.example.com", prefix=f"/mcp/{server.name}") for server in servers],
        batch_size=ROWS_AT_ONCE,
    )
    Tool.objects.bulk_create(
        [Tool(server=server, name=f"tool-{t}") for server in servers for t in range(5)], batch_size=ROWS_AT_ONCE
    )
    granted: dict[int, list[int]] = {}
    grants = []
    for n in range(size.grants):
        group, server = chance.randrange(size.groups), n % size.servers
        granted.setdefault(group, []).append(server)
        grants.append(Grant(group=groups[group], server=servers[server], action="use", networks=[], given_by="bench"))
    Grant.objects.bulk_create(grants, batch_size=ROWS_AT_ONCE)
    visitors: list[Visitor] = []
    sessions = []
    for n in chance.sample(range(size.people), size.people):
        if len(visitors) == size.sessions:
            break
        opened = [server for group in _above(parents, chosen[n]) for server in granted.get(group, ())]
        if not opened:
            continue
        token = session_token.make(0, chance.randbytes(32), key=signing_key("session"))
        sessions.append(
            Session(
                person=people[n],
                digest=session_token.digest(token),
                started_at=now,
                seen_at=now,
                until=now + timedelta(days=1),
                idle=86_400,
            )
        )
        path = f"/mcp/{servers[chance.choice(opened)].name}/x"
        visitors.append(Visitor(token, path, people[n].email))
    Session.objects.bulk_create(sessions, batch_size=ROWS_AT_ONCE)
    service = User.objects.create(email="service@services.example.com", is_human=False, password="!")  # noqa: S106  nobody signs in with it
    key = api_key.make(chance.randbytes(64))
    ApiKey.objects.create(
        person=service,
        name="bench",
        prefix=api_key.prefix_of(key),
        digest=api_key.digest(key),
        scopes=["groups:check"],
    )
    Proxy.objects.create(name="bench", secret=hashlib.sha256(PROXY_SECRET.encode()).hexdigest(), networks=[])
    Revision.objects.update(n=0)
    return Organisation(size, tuple(visitors), key)


def _above(parents: dict[int, list[int]], start: list[int]) -> set[int]:
    found, edge = set(start), list(start)
    for group in edge:
        for parent in parents.get(group, ()):
            if parent not in found:
                found.add(parent)
                edge.append(parent)
    return found
