"""A session is its person's until it ends: by its limits, by idleness, or because somebody ended it."""

import itertools
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError

from audit.context import Actor
from authz.changes import people, sessions
from authz.conf import signing_key
from authz.credentials import Presented, Unsettled, identify
from authz.credentials.session import MOST, ends
from authz.credentials.usage import USAGE, Usage
from authz.decisions import facts as f
from authz.decisions.vocabulary import Principal
from authz.errors import BadCredential
from authz.formats import session_token
from authz.lookups.current import current_world
from authz.models import Session
from tests.people import ALICE, BOB, session, token_of, world

NOW = 1_760_000_000.0
BY = Actor.command("tests")
NUMBERS = itertools.count(100)
"""Numbers of sessions: their use is remembered by number, so each test has its own."""


def who(*tokens, here=None, now=NOW):
    """Return whose session it is, None for nobody's, or why it is refused."""
    try:
        return identify(Presented(sessions=tokens), here or world(), now)
    except BadCredential as error:
        return str(error)


OK = {
    "ok/alone": [token_of(ALICE)],
    "ok/twice": [token_of(ALICE)] * 2,
    "ok/behind garbage": ["garbage", token_of(ALICE)],
    "ok/before garbage": [token_of(ALICE), "garbage", ""],
    "ok/beside an ended one": [token_of(ALICE, 9), token_of(ALICE)],
    "ok/beside another's ended one": [token_of(BOB, 9), token_of(ALICE)],
    "ok/as the last of many": ["garbage"] * (MOST - 1) + [token_of(ALICE)],
}


@pytest.mark.parametrize("tokens", OK.values(), ids=OK)
def test_exactly_one_person_comes_out_of_all_cookies(tokens):
    assert Principal(ALICE, f"session:{ALICE * 10}", None, 4e9) == who(*tokens)


FAIL = {
    "fail/garbage": ["garbage"],
    "fail/nothing": [""],
    "fail/ended": [token_of(ALICE, 9)],
    "fail/two people": [token_of(ALICE), token_of(BOB)],
    "fail/two people and garbage": [token_of(BOB), "garbage", token_of(ALICE)],
    "fail/cut": [token_of(ALICE)[:-1]],
    "fail/the hash instead of the secret": [session_token.digest(token_of(ALICE))],
    "fail/beyond ASCII": ["é" * 70],
    "fail/very many": ["garbage"] * MOST + [token_of(ALICE)],
}


@pytest.mark.parametrize("tokens", FAIL.values(), ids=FAIL)
def test_anything_else_is_refused(tokens):
    assert isinstance(who(*tokens), str)


def test_without_a_cookie_it_is_nobody_s_business():
    assert who() is None


@pytest.mark.parametrize(("after", "expected"), [(0, True), (99, True), (99.999, True), (100, False), (101, False)])
def test_a_session_ends_at_its_limit_to_the_instant(after, expected):
    number = next(NUMBERS)
    here = world(session(ALICE, number=number, until=NOW + 100))
    assert expected == isinstance(who(token_of(ALICE, number), here=here, now=NOW + after), Principal)


@pytest.mark.parametrize(("after", "expected"), [(0, True), (59.999, True), (60, False), (61, False)])
def test_a_session_idles_out_to_the_instant(after, expected):
    number = next(NUMBERS)
    here = world(session(ALICE, number=number, idle=60, seen=NOW))
    assert expected == isinstance(who(token_of(ALICE, number), here=here, now=NOW + after), Principal)


def test_using_a_session_keeps_it_and_never_beyond_its_limit():
    number = next(NUMBERS)
    here = world(session(ALICE, number=number, until=NOW + 150, idle=60, seen=NOW))
    for after, expected in ((50, True), (100, True), (149, True), (150, False)):
        assert expected == isinstance(who(token_of(ALICE, number), here=here, now=NOW + after), Principal)


def test_a_refused_request_keeps_no_session():
    """Two people's cookies are nobody's: neither session has been used."""
    number = next(NUMBERS)
    here = world(*(session(person, number=number, idle=60, seen=NOW) for person in (ALICE, BOB)))
    assert isinstance(who(token_of(ALICE, number), token_of(BOB, number), here=here, now=NOW + 50), str)
    assert isinstance(who(token_of(ALICE, number), here=here, now=NOW + 61), str)


def test_what_the_tables_know_of_the_last_use_counts_too():
    held = session(ALICE, number=next(NUMBERS), idle=60, seen=NOW)
    assert NOW + 60 == ends(held)
    USAGE.session_used(held.number, NOW + 30)
    assert NOW + 90 == ends(held)
    assert NOW + 30 + 90 == ends(held._replace(seen=NOW + 60))
    assert NOW + 70 == ends(held._replace(until=NOW + 70))


def test_a_session_that_began_after_this_world_asks_for_a_moment():
    """The first request right after sign-in may reach a process that has not heard of it."""
    young = session_token.make(101, b"x" * 32, key=signing_key("session"))
    with pytest.raises(Unsettled):
        identify(Presented(sessions=(young,)), world(revision=100), NOW)
    old = session_token.make(100, b"x" * 32, key=signing_key("session"))
    assert isinstance(who(old), str), "one that this World would know has ended"


def test_nobody_can_make_us_look_by_inventing_a_session():
    forged = session_token.make(10**9, b"x" * 32, key=b"another key")
    assert isinstance(who(forged), str)


@pytest.mark.django_db
class TestInTheTables:
    def begun(self, email="alice@example.com", **more):
        person = people.create(email=email, by=BY)
        limits = {"lifetime": timedelta(hours=1), "idle": timedelta(minutes=10)} | more
        return sessions.begin(person=person, device="a browser", address="192.0.2.1", by=BY, **limits)

    def works(self, token, *, after=0.0):
        found = who(token, here=current_world(), now=time.time() + after)
        return isinstance(found, Principal)

    def test_a_session_works_until_it_is_ended(self):
        begun = self.begun()
        assert self.works(begun.token)
        sessions.end(begun.row, by=BY, because="signed out")
        assert not self.works(begun.token)
        sessions.end(begun.row, by=BY, because="again")
        assert not self.works(begun.token)

    def test_a_session_idles_out_and_runs_out(self):
        begun = self.begun()
        assert (False, False) == (self.works(begun.token, after=601), self.works(begun.token, after=3601))

    def test_suspending_and_a_new_password_end_every_session(self):
        begun = self.begun()
        people.suspend(begun.row.person, by=BY)
        people.restore(begun.row.person, by=BY)
        assert not self.works(begun.token), "an ended session came back with its person"
        other = self.begun("bob@example.com")
        people.set_password(other.row.person, "correct horse battery", by=BY)
        assert not self.works(other.token)

    def test_nobody_suspended_and_no_service_begins_one(self):
        from authz.errors import Conflict  # noqa: PLC0415  only here

        limits: dict[str, Any] = {"device": "", "address": "", "lifetime": timedelta(1), "idle": timedelta(1), "by": BY}
        eve = people.suspend(people.create(email="eve@example.com", by=BY), by=BY)
        chat = people.create(email="chat@example.com", is_human=False, by=BY)
        for person in (eve, chat):
            with pytest.raises(Conflict):
                sessions.begin(person=person, **limits)

    def test_a_session_just_begun_is_found_by_a_process_that_lags(self):
        """It raises Unsettled, looks at the tables, and then knows."""
        lagging = current_world()
        begun = self.begun()
        with pytest.raises(Unsettled) as unsettled:
            identify(Presented(sessions=(begun.token,)), lagging, time.time())
        found = identify(Presented(sessions=(begun.token,)), unsettled.value.settle(), time.time())  # type: ignore[arg-type]  # a look returns a World
        assert begun.row.person_id == (found.person if found else None)

    def test_the_secret_is_kept_nowhere(self):
        begun = self.begun()
        row = Session.objects.get(pk=begun.row.pk)
        assert not any(begun.token.split(".")[1] in str(value) for value in vars(row).values())
        assert "a browser" == row.device

    def test_what_a_browser_calls_itself_is_made_harmless(self):
        person = people.create(email="alice@example.com", by=BY)
        limits: dict[str, Any] = {"address": "", "lifetime": timedelta(1), "idle": timedelta(1), "by": BY}
        row = sessions.begin(person=person, device="a\r\nb\0c\x1b" + "x" * 999, **limits).row
        assert row.device.startswith("abcx")
        assert 300 == len(row.device)

    def test_the_last_use_is_carried_to_the_tables_and_never_back(self):
        begun = self.begun()
        usage, soon = Usage(), time.time() + 100
        usage.session_used(begun.row.pk, soon)
        usage.carry()
        assert abs(Session.objects.get(pk=begun.row.pk).seen_at.timestamp() - soon) < 0.001
        usage.session_used(begun.row.pk, soon - 50)
        usage.carry()
        assert abs(Session.objects.get(pk=begun.row.pk).seen_at.timestamp() - soon) < 0.001
        other = Usage()
        other.carry()
        assert abs(other.session_seen(begun.row.pk) - soon) < 0.001


def test_a_look_that_fails_is_a_refusal(settings):
    """Without tables a session that is younger than the World stays unknown."""
    young = session_token.make(101, b"y" * 32, key=signing_key("session"))
    with pytest.raises(Unsettled) as unsettled:
        identify(Presented(sessions=(young,)), world(revision=100), NOW)
    with pytest.raises((DatabaseError, RuntimeError)):
        unsettled.value.settle()
    assert isinstance(f.SessionGone(1), tuple)
