"""A change ends exactly the connections whose right it took, tells each why, and touches no other."""

import asyncio
import time

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from authz.decisions import facts as f
from authz.decisions.applied import applied
from authz.decisions.vocabulary import ANY_TOOL, IDENTITY, Action, Principal, Question, Target, Where
from authz.lookups.current import CURRENT, current_world
from authz.sockets.closing import (
    DISCONNECTED,
    EXPIRED,
    LIFETIME,
    NOT_ALLOWED,
    RESTART,
    REVOKED,
    UNAVAILABLE,
    Closing,
)
from authz.sockets.held import Held, Kind
from authz.sockets.keeper import Keeper, judged
from authz.sockets.touched import touched
from tests.credentials.issuer import trusted
from tests.people import (
    ADMIN,
    ALICE,
    BOB,
    CAROL,
    CRM,
    ENGINEERING,
    GRANTS,
    GROUPS,
    INTERNS,
    MALLORY,
    PEOPLE,
    SALES,
    SEARCH,
    SERVERS,
    key,
    live_in,
    session,
    world,
)

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


ALICES = {name for name in cast() if name.startswith("alice")}
ON_SEARCH = ALICES - {"alice on the interface"}
BY_SESSION = {"alice by session", "alice on the interface"}
BY_KEY = {"alice by key", "alice through a proxy"}

REVOCATIONS: dict[str, tuple[list[f.Fact], dict[str, Closing]]] = {
    "she is suspended": ([PEOPLE[0]._replace(active=False)], dict.fromkeys(ALICES, REVOKED)),
    "she is removed": ([f.PersonGone(ALICE)], dict.fromkeys(ALICES, REVOKED)),
    "her name changes": ([PEOPLE[0]._replace(name="Alice B.")], {}),
    "her address changes": ([PEOPLE[0]._replace(email="a@example.com")], {"alice by token": REVOKED}),
    "her session ends": ([f.SessionGone(ALICE * 10)], dict.fromkeys(BY_SESSION, REVOKED)),
    "another session of hers ends": ([f.SessionGone(ALICE * 10 + 1)], {}),
    "her session is shortened to the past": ([session(ALICE, until=1.0)], dict.fromkeys(BY_SESSION, EXPIRED)),
    "her key is revoked": ([f.KeyGone(ALICE * 10)], dict.fromkeys(BY_KEY, REVOKED)),
    "her key expires": ([key(ALICE, "use", until=1.0)], dict.fromkeys(BY_KEY, EXPIRED)),
    "her key loses the scope": ([key(ALICE, "groups:read")], dict.fromkeys(BY_KEY, NOT_ALLOWED)),
    "her key is for one server": ([key(ALICE, "use:search")], {}),
    "the issuer is disabled": ([f.IssuerGone(7)], {"alice by token": REVOKED}),
    "the issuer has other audiences": ([trusted(7, audiences=("other",))], {"alice by token": REVOKED}),
    "another issuer is disabled": ([f.IssuerGone(8)], {}),
    "she leaves the group": ([f.MemberGone(ALICE, INTERNS)], dict.fromkeys(ON_SEARCH, NOT_ALLOWED)),
    "she leaves it for one that may as well": (
        [f.MemberGone(ALICE, INTERNS), f.MemberIs(ALICE, ENGINEERING, None)], {},
    ),
    "the groups are no longer nested": ([f.NestGone(INTERNS, ENGINEERING)], dict.fromkeys(ON_SEARCH, NOT_ALLOWED)),
    "the group goes": ([f.GroupGone(ENGINEERING)], dict.fromkeys(ON_SEARCH, NOT_ALLOWED)),
    "a group is renamed": ([GROUPS[1]._replace(name="builders")], {}),
    "the grant goes": ([f.GrantGone(2)], dict.fromkeys(ON_SEARCH, NOT_ALLOWED)),
    "the grant is for others": ([GRANTS[1]._replace(group=SALES)], dict.fromkeys(ON_SEARCH, NOT_ALLOWED)),
    "the grant moves to another server": ([GRANTS[1]._replace(server=CRM)], dict.fromkeys(ON_SEARCH, NOT_ALLOWED)),
    "the grant is for tools": ([GRANTS[1]._replace(tools=("find",))], dict.fromkeys(ON_SEARCH, NOT_ALLOWED)),
    "the grant is for another network": (
        [GRANTS[1]._replace(networks=("198.51.100.0/24",))], dict.fromkeys(ON_SEARCH, NOT_ALLOWED),
    ),
    "the grant is for her network": ([GRANTS[1]._replace(networks=("192.0.2.0/24",))], {}),
    "another grant goes": ([f.GrantGone(3)], {}),
    "the server is switched off": (
        [SERVERS[1]._replace(enabled=False)], dict.fromkeys(ON_SEARCH | {"bob on search"}, NOT_ALLOWED),
    ),
    "the server goes": ([f.ServerGone(SEARCH)], dict.fromkeys(ON_SEARCH | {"bob on search"}, NOT_ALLOWED)),
    "a tool is switched off": (
        [SERVERS[1]._replace(switched_off=("find",))], dict.fromkeys(ON_SEARCH | {"bob on search"}, NOT_ALLOWED),
    ),
    "connections to the server become short": (
        [SERVERS[1]._replace(longest=0.0)], dict.fromkeys(ON_SEARCH | {"bob on search"}, LIFETIME),
    ),
    "the proxy is distrusted": ([f.ProxyGone(1)], {"alice through a proxy": REVOKED}),
    "the proxy has another secret": ([f.ProxyIs(1, "nginx", "0" * 64, ())], {"alice through a proxy": REVOKED}),
    "all of hers are hung up": ([f.HangUp(ALICE, "", FAR)], dict.fromkeys(ALICES, DISCONNECTED)),
    "all that she had yesterday are hung up": ([f.HangUp(ALICE, "", 1.0)], {}),
    "somebody else's are hung up": ([f.HangUp(CAROL, "", FAR)], {}),
    "somebody joins something else": ([f.MemberIs(MALLORY, ADMIN, None)], {}),
}  # fmt: skip


class Watched:
    """A keeper with everybody's connections, and how they ended."""

    def __init__(self):
        self.keeper, self.all, self.ends = Keeper(), cast(), {}
        self.notices, self.heard = [], []

    def begin(self):
        """Take everybody in."""
        live_in(here())
        self.keeper.start(asyncio.get_running_loop())
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
        await asyncio.sleep(0.02)


def run(work):
    """Run a story in an event loop."""
    asyncio.run(work)


@pytest.mark.parametrize("told", [True, False], ids=["told what changed", "rebuilt"])
@pytest.mark.parametrize(("facts", "expected"), REVOCATIONS.values(), ids=REVOCATIONS)
def test_a_change_ends_what_lost_its_right_and_nothing_else(facts, expected, told):
    async def story():
        watched = Watched()
        watched.begin()
        await watched.change(facts, told=told)
        assert expected == watched.ends
        await watched.keeper.stop()
        assert set(watched.all) == set(watched.ends)
        assert {RESTART} >= {closing for name, closing in watched.ends.items() if name not in expected}

    run(story())


def test_hanging_up_one_connection_ends_that_one():
    async def story():
        watched = Watched()
        watched.begin()
        one = watched.all["alice by key"]
        await watched.change([f.HangUp(ALICE, one.id, time.time())])
        assert {"alice by key": DISCONNECTED} == watched.ends
        await watched.keeper.stop()

    run(story())


def test_whoever_reconnects_after_being_hung_up_stays():
    async def story():
        watched = Watched()
        watched.begin()
        await watched.change([f.HangUp(BOB, "", time.time())])
        again = held(BOB, f"session:{BOB * 10}", CRM, opened=time.time() + 0.01)
        assert watched.keeper.admit(again, current_world()) is None
        await watched.keeper.stop()

    run(story())


def test_one_that_is_over_is_forgotten_and_ends_only_once():
    async def story():
        watched = Watched()
        watched.begin()
        watched.keeper.release(watched.all["bob on crm"])
        await watched.change([f.PersonGone(BOB)])
        assert {"bob on search": REVOKED} == watched.ends
        watched.keeper.end(watched.all["bob on search"], LIFETIME)
        assert {"bob on search": REVOKED} == watched.ends
        await watched.keeper.stop()

    run(story())


def test_a_right_that_ended_during_the_handshake_lets_nobody_in():
    async def story():
        watched = Watched()
        watched.begin()
        late = held(ALICE, f"session:{ALICE * 10}")
        before = current_world()
        live_in(applied(before, [PEOPLE[0]._replace(active=False)], revision=before.revision + 1))
        assert REVOKED == watched.keeper.admit(late, before)
        await watched.keeper.stop()

    run(story())


ENDS = {
    "the session": ([session(ALICE, until=0.0)], "alice by session", EXPIRED),
    "the key": ([key(ALICE, "use", until=0.0)], "alice by key", EXPIRED),
    "the membership": ([f.MemberIs(ALICE, INTERNS, 0.0)], "alice by key", NOT_ALLOWED),
    "the grant": ([GRANTS[1]._replace(until=0.0)], "alice by key", NOT_ALLOWED),
    "the longest life": ([SERVERS[1]._replace(longest=0.0)], "alice by key", LIFETIME),
}


@pytest.mark.parametrize(("facts", "name", "closing"), ENDS.values(), ids=ENDS)
def test_a_connection_ends_by_itself_when_what_it_rests_on_does(facts, name, closing, settings):
    settings.AUTHZ_SOCKET_NOTICE = 1

    def soon(fact):
        at = time.time() + 1.3
        return fact._replace(longest=1.3) if isinstance(fact, f.ServerIs) else fact._replace(until=at)

    async def story():
        watched = Watched()
        watched.begin()
        await watched.change([soon(fact) for fact in facts])
        assert {} == watched.ends
        await asyncio.sleep(0.6)
        assert {} == watched.ends
        assert (name, closing, 1) in watched.notices
        await asyncio.sleep(0.9)
        assert closing == watched.ends.get(name)
        assert "bob on crm" not in watched.ends
        await watched.keeper.stop()

    run(story())


def test_what_is_prolonged_in_time_does_not_end():
    async def story():
        watched = Watched()
        watched.begin()
        await watched.change([f.MemberIs(ALICE, INTERNS, time.time() + 0.5)])
        await watched.change([f.MemberIs(ALICE, INTERNS, None)])
        await asyncio.sleep(0.7)
        assert {} == watched.ends
        await watched.keeper.stop()

    run(story())


def test_a_session_that_lies_idle_ends_its_connections_and_one_in_use_does_not():
    async def story():
        watched = Watched()
        watched.begin()
        idle = [session(person, number=0, idle=0.6, seen=time.time()) for person in (ALICE, BOB)]
        await watched.change(idle)
        for _ in range(4):
            await asyncio.sleep(0.25)
            watched.keeper.used(watched.all["bob on crm"])
        assert EXPIRED == watched.ends["alice by session"]
        assert {"bob on crm", "bob on search"}.isdisjoint(watched.ends)
        await watched.keeper.stop()

    run(story())


def test_when_nobody_can_tell_any_more_who_may_what_everything_ends():
    async def story():
        watched = Watched()
        watched.begin()
        CURRENT.looked_at = time.monotonic() - 3600
        await asyncio.sleep(1.3)
        assert dict.fromkeys(watched.all, UNAVAILABLE) == watched.ends
        await watched.keeper.stop()

    run(story())


FACTS = st.sampled_from(
    [fact for facts, _ in list(REVOCATIONS.values()) for fact in facts]
    + [f.MemberIs(ALICE, INTERNS, FAR), f.NestIs(SALES, ENGINEERING), f.NestIs(INTERNS, ENGINEERING), trusted(7)]
    + [key(ALICE, "use"), session(ALICE), PEOPLE[0], SERVERS[1], *GRANTS, f.GrantGone(50), f.GrantGone(4)]
)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400, deadline=None)
@given(st.lists(FACTS, max_size=4), st.lists(FACTS, min_size=1, max_size=3))
def test_what_a_change_does_not_touch_is_judged_as_before(first, second):
    """Or else a connection whose right ended would live on."""
    before = applied(here(), first)
    after = applied(before, second)
    found = touched(second, before)
    now = time.time()
    for name, each in cast().items():
        concerned = (
            found.everybody
            or each.who.person in found.people
            or each.server in found.servers
            or each.who.credential in found.credentials
        )
        if not concerned:
            each.opened = now - 1
            assert judged(each, before, now) == judged(each, after, now), name
