"""A change ends exactly the connections whose right it took, tells each why, and touches no other."""

import time

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from authz.decisions import facts as f
from authz.decisions.applied import applied
from authz.lookups.current import CURRENT, current_world
from authz.sockets import keeper
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
from authz.sockets.keeper import judged
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
)
from tests.run.examples import examples
from tests.sockets.keeping import FAR, PROXY_FACT, Clock, Watched, cast, held, here, run
from tests.sockets.lines import comes_true


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


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
    "the server is carried elsewhere": (
        [SERVERS[1]._replace(upstream="ws://elsewhere/")], dict.fromkeys(ON_SEARCH | {"bob on search"}, NOT_ALLOWED),
    ),
    "the proxy is renamed": ([PROXY_FACT._replace(name="front")], {}),
    "the proxy is distrusted": ([f.ProxyGone(1)], {"alice through a proxy": REVOKED}),
    "the proxy has another secret": ([f.ProxyIs(1, "nginx", "0" * 64, ())], {"alice through a proxy": REVOKED}),
    "all of hers are hung up": ([f.HangUp(ALICE, "", 10**6)], dict.fromkeys(ALICES, DISCONNECTED)),
    "all that she had before are hung up": ([f.HangUp(ALICE, "", 1)], {}),
    "somebody else's are hung up": ([f.HangUp(CAROL, "", 10**6)], {}),
    "somebody joins something else": ([f.MemberIs(MALLORY, ADMIN, None)], {}),
}  # fmt: skip


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
        await watched.change([f.HangUp(ALICE, one.id, 102)])
        assert {"alice by key": DISCONNECTED} == watched.ends
        await watched.keeper.stop()

    run(story())


def test_whoever_reconnects_after_being_hung_up_stays():
    async def story():
        watched = Watched()
        watched.begin()
        await watched.change([f.HangUp(BOB, "", 101)])
        again = held(BOB, f"session:{BOB * 10}", CRM)
        again.revision = current_world().revision
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
def test_a_connection_ends_by_itself_when_what_it_rests_on_does(facts, name, closing, settings, clock):
    settings.AUTHZ_SOCKET_NOTICE = 1

    def soon(fact):
        at = clock.now + 1.3
        return fact._replace(longest=1.3) if isinstance(fact, f.ServerIs) else fact._replace(until=at)

    async def story():
        watched = Watched(clock)
        watched.begin()
        await watched.change([soon(fact) for fact in facts])
        clock.passes(0.2)
        assert ({}, []) == (watched.ends, watched.notices)
        clock.passes(1.0)
        assert {} == watched.ends
        assert (name, closing, 1) in watched.notices
        clock.passes(0.2)
        assert closing == watched.ends.get(name)
        assert "bob on crm" not in watched.ends
        await watched.keeper.stop()

    run(story())


def test_what_is_prolonged_in_time_does_not_end(clock):
    async def story():
        watched = Watched(clock)
        watched.begin()
        await watched.change([f.MemberIs(ALICE, INTERNS, clock.now + 0.5)])
        await watched.change([f.MemberIs(ALICE, INTERNS, None)])
        clock.passes(0.7)
        assert {} == watched.ends
        await watched.keeper.stop()

    run(story())


def test_a_session_that_lies_idle_ends_its_connections_and_one_in_use_does_not(clock):
    async def story():
        watched = Watched(clock)
        watched.begin()
        idle = [session(person, number=0, idle=0.6, seen=clock.now) for person in (ALICE, BOB)]
        await watched.change(idle)
        for _ in range(4):
            clock.passes(0.25)
            watched.keeper.used(watched.all["bob on crm"])
        assert EXPIRED == watched.ends["alice by session"]
        assert {"bob on crm", "bob on search"}.isdisjoint(watched.ends)
        await watched.keeper.stop()

    run(story())


def test_when_nobody_can_tell_any_more_who_may_what_everything_ends(monkeypatch):
    monkeypatch.setattr(keeper, "FRESH_EVERY", 0.01)

    async def story():
        watched = Watched()
        watched.begin()
        CURRENT.looked_at = time.monotonic() - 3600
        await comes_true(lambda: watched.ends)
        assert dict.fromkeys(watched.all, UNAVAILABLE) == watched.ends
        await watched.keeper.stop()

    run(story())


FACTS = st.sampled_from(
    [fact for facts, _ in list(REVOCATIONS.values()) for fact in facts]
    + [f.MemberIs(ALICE, INTERNS, FAR), f.NestIs(SALES, ENGINEERING), f.NestIs(INTERNS, ENGINEERING), trusted(7)]
    + [key(ALICE, "use"), session(ALICE), PEOPLE[0], SERVERS[1], *GRANTS, f.GrantGone(50), f.GrantGone(4)]
)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(400))
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


def test_however_many_are_hung_up_at_once_all_of_them_end():
    """The World keeps a few of them for one that begins anew; whoever follows it is told each."""

    async def story():
        watched = Watched()
        watched.begin()
        many = [held(BOB, f"session:{BOB * 10}", CRM) for _ in range(400)]
        for number, each in enumerate(many):
            watched.watch(f"bob's {number}", each)
            assert watched.keeper.admit(each, here()) is None
        await watched.change([f.HangUp(BOB, each.id, 101) for each in many])
        assert dict.fromkeys((f"bob's {number}" for number in range(400)), DISCONNECTED) == watched.ends
        await watched.keeper.stop()

    run(story())


def test_a_connection_that_ends_soon_is_told_at_once(settings, clock):
    settings.AUTHZ_SOCKET_NOTICE = 60

    async def story():
        watched = Watched(clock)
        watched.begin()
        soon = held(ALICE, "jwt:7", until=clock.now + 30)
        watched.watch("soon", soon)
        watched.keeper.admit(soon, here())
        await watched.change([f.MemberIs(BOB, SALES, clock.now + 20)])
        clock.passes(0.0)
        assert {("soon", EXPIRED, 30), ("bob on crm", NOT_ALLOWED, 20)} == set(watched.notices)
        assert {} == watched.ends
        await watched.keeper.stop()

    run(story())


def test_a_notice_waits_until_there_is_somebody_who_could_tell_it(settings, clock):
    """And asks for that now and then, not again and again while no time passes."""
    settings.AUTHZ_SOCKET_NOTICE = 600

    async def story():
        watched = Watched(clock)
        watched.begin()
        early = held(ALICE, "jwt:7", until=time.time() + 500)
        watched.keeper.admit(early, here())
        clock.passes(3)  # the time for its notice comes
        assert [] == watched.notices
        watched.watch("early", early)
        clock.passes(3)
        assert [("early", EXPIRED)] == [notice[:2] for notice in watched.notices]
        await watched.keeper.stop()

    run(story())


def test_thousands_are_all_judged_before_anybody_is_told():
    async def story():
        watched = Watched()
        watched.begin()
        order = []
        for _ in range(350):
            each = held(BOB, f"session:{BOB * 10}")
            each.on_end = lambda _closing: order.append("ended")
            watched.keeper.admit(each, here())
        listening = held(BOB, f"session:{BOB * 10}", CRM)
        listening.on_change = lambda _heard: order.append("told")
        watched.keeper.admit(listening, here())
        await watched.change([f.ServerGone(SEARCH)])
        assert [*["ended"] * 350, "told"] == order
        await watched.keeper.stop()

    run(story())
