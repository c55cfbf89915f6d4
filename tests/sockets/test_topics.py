"""Whoever follows what concerns them misses no change of it, and is told of little else."""

import asyncio
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.decisions import facts as f
from authz.decisions.applied import applied
from authz.decisions.membership import direct_groups
from authz.decisions.search import what_can
from authz.decisions.vocabulary import Principal
from authz.errors import BadRequest, NotAllowed
from authz.lookups.current import CURRENT
from authz.sockets.held import Heard
from authz.sockets.rpc.concerned import concerns, ended, own, people_concerned
from tests.people import (
    ADMIN,
    ALICE,
    BOB,
    CAROL,
    CHAT,
    CLOSED,
    CRM,
    ENGINEERING,
    EPOCH,
    FILES,
    GRANTS,
    INTERNS,
    JIRA,
    MALLORY,
    PEOPLE,
    SALES,
    SEARCH,
    SERVERS,
    USERS,
    at,
    key,
    live_in,
    session,
    world,
)  # fmt: skip
from tests.sockets.callers import Caller, with_key, with_session

NOW = 1_760_000_000.0


@pytest.fixture(autouse=True)
def people_we_know():
    live_in(world())


def moved(caller: Caller, *facts: f.Fact, forgotten: bool = False) -> list[dict[str, Any]]:
    """Let the World move on, and return what the caller is told."""
    before = CURRENT.now()
    after = live_in(applied(before, facts, revision=before.revision + 1))
    caller.topics.heard(Heard(before, after, None if forgotten else tuple(facts)), time.time())
    return [params for method, params in caller.topics.news(time.time()) if method == "changed"]


def test_subscribing_says_what_is_followed():
    chat = Caller(with_key(CHAT))
    assert {"subscribed": ["me"], "revision": f"{EPOCH}.100"} == chat("subscribe", topics=["me"])
    assert ["everybody", "me"] == chat("subscribe", ["everybody", "everybody"])["subscribed"]
    assert ["everybody"] == chat("unsubscribe", ["me"])["subscribed"]
    for topics in ([], ["nobody"], ["me", "nobody"]):
        assert BadRequest is chat.problem("subscribe", topics)
    for caller in (Caller(with_session(CAROL)), Caller(with_key(ALICE))):
        assert NotAllowed is caller.problem("subscribe", ["everybody"])
        assert NotAllowed is caller.problem("subscribe", ["me", "everybody"])
        assert not caller.topics.following


ELSE = f.GrantIs(9, SALES, None, "use", SEARCH, None, None, ())
OWN: dict[str, tuple[tuple[f.Fact, ...], list[str] | None]] = {
    "into a group": ((f.MemberIs(ALICE, SALES, None),), ["Interns", "R&D, Sales", "engineering", "users"]),
    "out of a group": ((f.MemberGone(ALICE, INTERNS),), ["users"]),
    "in and out at once": ((f.MemberIs(ALICE, SALES, None), f.MemberGone(ALICE, SALES)), None),
    "a group nested": ((f.NestIs(ENGINEERING, SALES),), ["Interns", "R&D, Sales", "engineering", "users"]),
    "a nesting undone": ((f.NestGone(INTERNS, ENGINEERING),), ["Interns", "users"]),
    "others' groups nested": ((f.NestIs(ADMIN, SALES),), None),
    "a group renamed": ((f.GroupIs(INTERNS, "trainees", False),), ["engineering", "trainees", "users"]),
    "a group for everybody": ((f.GroupIs(8, "all", True),), ["Interns", "all", "engineering", "users"]),
    "a group for nobody yet": ((f.GroupIs(8, "all", False),), None),
    "a grant to the group": ((f.GrantIs(9, ENGINEERING, None, "use", CRM, None, None, ()),), []),
    "a grant to the person": ((f.GrantIs(9, None, ALICE, "use", CRM, None, None, ()),), []),
    "a grant gone": ((f.GrantGone(2),), []),
    "a grant that was another's": ((GRANTS[3]._replace(group=ENGINEERING),), []),
    "a grant to others": ((ELSE,), None),
    "a server closed": ((SERVERS[1]._replace(enabled=False),), []),
    "a server opened": ((SERVERS[4]._replace(enabled=True),), []),
    "a server gone": ((f.ServerGone(SEARCH),), []),
    "a tool switched off": ((SERVERS[2]._replace(switched_off=("get_issue",)),), []),
    "another's server closed": ((SERVERS[3]._replace(enabled=False),), None),
    "a server with another lifetime": ((SERVERS[1]._replace(longest=60.0),), None),
    "somebody else's groups": ((f.MemberIs(BOB, INTERNS, None),), None),
    "somebody else suspended": ((PEOPLE[1]._replace(active=False),), None),
    "somebody signed in": ((session(MALLORY, number=3),), None),
    "an e-mail address": ((PEOPLE[0]._replace(email="a@example.com"),), []),
    "a name that is not asked for": ((PEOPLE[0]._replace(name="Al"),), None),
}


@pytest.mark.parametrize(("facts", "expected"), OWN.values(), ids=OWN)
def test_alice_is_told_what_concerns_her_and_nothing_else(facts, expected):
    alice = Caller(with_session(ALICE))
    alice("subscribe", ["me"])
    told = moved(alice, *facts)
    if expected is None:
        assert [] == told
    else:
        (only,) = told
        assert ("me", f"{EPOCH}.101", True) == (only["topic"], only["revision"], only["active"])
        assert only["groups"] == (expected or ["Interns", "engineering", "users"])
    assert [] == moved(alice, f.GroupIs(9, "new", False)), "it is told once"


def test_the_scopes_of_a_key_concern_its_holder():
    alice = Caller(with_key(ALICE))
    alice("subscribe", ["me"])
    assert 1 == len(moved(alice, key(ALICE, "use", "explain")))
    assert [] == moved(alice, key(ALICE, "use", "explain", until=4e9))


def test_what_only_a_look_at_everything_would_tell_is_told_to_all():
    for caller in (Caller(with_session(MALLORY)), Caller(with_key(CHAT))):
        topics = ["me"] if caller.held.who.scopes is None else ["me", "everybody"]
        caller("subscribe", topics)
        told = moved(caller, forgotten=True)
        assert topics == [each["topic"] for each in told]
        assert all(each.get("people") is None for each in told)


def test_whoever_follows_nothing_is_told_nothing():
    alice = Caller(with_session(ALICE))
    assert [] == moved(alice, f.MemberGone(ALICE, INTERNS))
    alice("subscribe", ["me"])
    alice("unsubscribe", ["me"])
    assert [] == moved(alice, f.MemberIs(ALICE, INTERNS, None))


ALL = {
    "into a group": ((f.MemberIs(BOB, INTERNS, None),), ["bob@example.com"]),
    "several": ((f.MemberIs(BOB, ADMIN, None), f.MemberGone(ALICE, INTERNS)), ["alice@example.com", "bob@example.com"]),
    "suspended": ((PEOPLE[1]._replace(active=False),), ["bob@example.com"]),
    "renamed": ((PEOPLE[1]._replace(email="b@example.com"),), ["b@example.com", "bob@example.com"]),
    "gone": ((f.PersonGone(BOB),), ["bob@example.com"]),
    "somebody new": ((f.PersonIs(9, "9" * 32, "new@example.com", "", True, True),), ["new@example.com"]),
    "a group nested": ((f.NestIs(SALES, ADMIN),), None),
    "a group gone": ((f.GroupGone(SALES),), None),
    "a group renamed": ((f.GroupIs(SALES, "sales", False),), None),
    "a group for everybody": ((f.GroupIs(8, "all", True),), None),
    "a group for nobody yet": ((f.GroupIs(8, "new", False),), []),
    "a grant": ((f.GrantGone(2),), []),
    "a session": ((f.SessionGone(BOB * 10),), []),
}


@pytest.mark.parametrize(("facts", "expected"), ALL.values(), ids=ALL)
def test_a_service_is_told_whom_to_forget(facts, expected):
    chat = Caller(with_key(CHAT))
    chat("subscribe", ["everybody"])
    told = moved(chat, *facts)
    if expected == []:
        assert [] == told
    else:
        assert [{"topic": "everybody", "revision": f"{EPOCH}.101", "people": expected}] == told


def test_a_service_that_does_not_read_is_told_the_sum_and_no_more():
    chat = Caller(with_key(CHAT))
    chat("subscribe", ["everybody", "me"])
    before = CURRENT.now()
    for number in range(3):
        facts = tuple(f.MemberIs(person, USERS, None) for person in (ALICE, BOB, CAROL)[: number + 1])
        chat.topics.heard(Heard(before, applied(before, facts, revision=200 + number), facts), time.time())
    emails = ["alice@example.com", "bob@example.com", "carol@example.com"]
    assert [{"topic": "everybody", "revision": f"{EPOCH}.202", "people": emails}] == [
        params for _, params in chat.topics.news(time.time())
    ]
    assert [] == chat.topics.news(time.time())


def test_a_thousand_are_named_and_beyond_that_it_is_anybody():
    for many, named in ((1000, True), (1001, False)):
        live_in(world())
        chat = Caller(with_key(CHAT))
        chat("subscribe", ["everybody"])
        new = [f.PersonIs(100 + n, f"{n:032}", f"p{n}@example.com", "", True, True) for n in range(many)]
        (told,) = moved(chat, *new)
        assert named == (told["people"] is not None)


def test_a_service_whose_key_loses_the_scope_hears_no_more_and_is_told_so():
    chat = Caller(with_key(CHAT))
    chat("subscribe", ["everybody"])
    before = CURRENT.now()
    facts = (f.MemberIs(BOB, INTERNS, None), key(CHAT, "groups:check"))
    chat.topics.heard(Heard(before, live_in(applied(before, facts)), facts), time.time())
    ended_ = ("subscription.ended", {"topic": "everybody", "reason": "not-allowed"})
    assert [ended_] == chat.topics.news(time.time())
    assert [] == moved(chat, f.MemberIs(ALICE, SALES, None))


def test_a_membership_that_ends_by_itself_is_told_when_it_does(monkeypatch):
    live_in(world(f.MemberIs(ALICE, INTERNS, NOW), f.MemberIs(BOB, INTERNS, NOW + 60)))
    chat, alice = Caller(with_key(CHAT)), Caller(with_session(ALICE))
    with at(monkeypatch, NOW - 10):
        chat("subscribe", ["everybody"])
        alice("subscribe", ["me"])
        for caller in (chat, alice):
            asyncio.run(caller.topics.look(NOW - 10))
            assert ([], NOW) == (caller.topics.news(NOW - 10), caller.topics.due)
    for caller, expected, due in (
        (chat, {"topic": "everybody", "people": ["alice@example.com"]}, NOW + 60),
        (alice, {"topic": "me", "groups": ["users"], "active": True}, float("inf")),
    ):
        asyncio.run(caller.topics.look(NOW))
        ((_, told),) = caller.topics.news(NOW)
        assert expected | {"revision": f"{EPOCH}.100"} == told
        assert due == caller.topics.due


def test_a_membership_that_is_given_for_a_while_is_looked_at_when_it_ends():
    chat = Caller(with_key(CHAT))
    chat("subscribe", ["everybody"])
    asyncio.run(chat.topics.look(time.time()))
    assert float("inf") == chat.topics.due
    moved(chat, f.MemberIs(BOB, INTERNS, 4e9))
    assert pytest.approx(4e9) == chat.topics.due


NUMBERS = st.sampled_from([person.number for person in PEOPLE])
GROUPS = st.sampled_from([USERS, ENGINEERING, INTERNS, SALES, ADMIN, 8])
MOMENTS = st.sampled_from([None, NOW - 5, NOW, NOW + 5])
PERSON = st.builds(
    lambda person, active, human, email: person._replace(active=active, human=human, email=email or person.email),
    st.sampled_from(PEOPLE), st.booleans(), st.booleans(), st.sampled_from(["", "", "other@example.com"]),
)  # fmt: skip
SERVER = st.builds(
    lambda server, enabled, name, off: server._replace(enabled=enabled, name=name or server.name, switched_off=off),
    st.sampled_from(SERVERS), st.booleans(), st.sampled_from(["", "renamed"]), st.sampled_from([(), ("find",)]),
)  # fmt: skip
GRANT = st.builds(
    lambda number, group, person, server, tools: f.GrantIs(
        number, group, None if group else person, "use", server, tools, None, ()
    ),
    st.integers(1, 9), st.none() | GROUPS, NUMBERS, st.sampled_from([SEARCH, JIRA, CRM, CLOSED, FILES]),
    st.sampled_from([None, ("find",), ("get_*",)]),
)  # fmt: skip
FACT = st.one_of(
    PERSON,
    SERVER,
    GRANT,
    st.builds(f.PersonGone, NUMBERS),
    st.builds(f.MemberIs, NUMBERS, GROUPS, MOMENTS),
    st.builds(f.MemberGone, NUMBERS, GROUPS),
    st.builds(f.GroupIs, GROUPS, st.sampled_from(["a", "b"]), st.booleans()),
    st.builds(f.GroupGone, GROUPS),
    st.builds(f.NestIs, GROUPS, GROUPS),
    st.builds(f.NestGone, GROUPS, GROUPS),
    st.builds(f.ServerGone, st.sampled_from([SEARCH, JIRA, CRM])),
    st.builds(f.GrantGone, st.integers(1, 9)),
    st.builds(f.SessionGone, st.just(10)),
)
CHANGES = st.lists(FACT, max_size=4).map(tuple)


def with_what_follows(here, fact):
    """Return a fact with those that the tables let happen along with it; nothing if they do not let it happen."""
    match fact:
        case f.GroupGone(number):
            members = [person for person in here.people if number in direct_groups(here, here.people[person], -1e12)]
            grants = [grant.number for grant in here.grants.values() if grant.group == number]
            return [*(f.MemberGone(each, number) for each in members), *map(f.GrantGone, grants), fact]
        case f.PersonGone(number):
            return [*(f.GrantGone(each.number) for each in here.grants.values() if each.person == number), fact]
        case f.PersonIs():
            return [fact] if here.by_email.get(fact.email, fact.number) == fact.number else []
        case f.MemberIs():
            return [fact] if fact.person in here.people and fact.group in here.groups else []
        case f.NestIs():
            return [fact] if fact.child in here.groups and fact.parent in here.groups else []
        case f.GrantIs():
            holds = fact.group in here.groups if fact.group else fact.person in here.people
            return [fact] if holds and fact.server in here.servers else []
        case _:
            return [fact]


def possible(here, facts):
    """Return a change as the tables let it happen, and the World after it."""
    found: tuple[f.Fact, ...] = ()
    for fact in facts:
        more = with_what_follows(here, fact)
        found, here = (*found, *more), applied(here, more)
    return found, here


def sees(here, number):
    """Return all of somebody that a copy could hold, found by asking everything."""
    who = Principal(number, "session:1")
    return own(here, who, NOW), [
        (reach.server.name, reach.actions, reach.tools) for reach in what_can(here, number, at=NOW)
    ]


@given(CHANGES, CHANGES)
def test_nobody_whom_a_change_concerns_is_forgotten(earlier, facts):
    """Against asking everything about everybody, before and after."""
    _, before = possible(world(), earlier)
    facts, after = possible(before, facts)
    told = people_concerned(facts, before, after)
    for number in {*before.people, *after.people}:
        was, now = sees(before, number), sees(after, number)
        who = Principal(number, "session:1")
        if was != now:
            assert concerns(facts, before, after, who=who, known=was[0], at=NOW)
        if was[0] != now[0]:
            assert (
                told is None or {here.people[number].email for here in (before, after) if number in here.people} <= told
            )


@given(st.lists(st.tuples(NUMBERS, GROUPS, st.integers(0, 20)), max_size=8), st.integers(0, 20), st.integers(0, 20))
def test_whose_membership_ends_by_itself_is_never_missed(members, first, more):
    here = world(*(f.MemberIs(person, group, float(until)) for person, group, until in members))
    told, following = ended(here, float(first), float(first + more))
    for person in PEOPLE:
        who = Principal(person.number, "session:1")
        if own(here, who, float(first)) != own(here, who, float(first + more)):
            assert person.email in told
        for later in range(first + more, 22):
            if later < following:
                assert own(here, who, float(first + more)) == own(here, who, float(later))
