"""What is remembered is what judging again would say: for the same question, in the same World, as long as it holds."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from authz.credentials.usage import USAGE
from authz.decisions import facts as f
from authz.edge.remembered import Judged
from authz.lookups.current import current_world
from tests.people import (
    ADMIN,
    ALICE,
    BOB,
    CAROL,
    CRM_URL,
    ENGINEERING,
    GRANTS,
    INTERNS,
    MALLORY,
    PEOPLE,
    SALES,
    SEARCH,
    SEARCH_URL,
    SERVERS,
    USERS,
    ask,
    at,
    bearer,
    cookie,
    headers_of,
    judged,
    key,
    key_of,
    live_in,
    request,
    session,
    world,
)  # fmt: skip
from tests.questions import NOW, PARTS, SAID, parts
from tests.run.examples import examples
from tests.wire import ask_again

pytestmark = pytest.mark.usefixtures("house")
EITHER_WAY = pytest.mark.parametrize("ask", [ask, ask_again], ids=["read", "unread"])
"""As both adapters ask, and as a proxy that sends the same bytes is answered."""


def remembered() -> int:
    """Return how many answers this World remembers."""
    return sum(isinstance(each, Judged) for each in current_world().memory.answers.values())


def fresh(asked):
    """Return what a World that remembers nothing says."""
    kept = current_world()
    live_in(world())
    answer = judged(asked)
    live_in(kept)
    return answer


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(400))
@given(SAID, SAID, PARTS)
def test_a_request_that_differs_in_any_one_thing_is_judged_for_itself(house, first, second, part):
    other = first | {part: second[part]}
    live_in(world())
    with pytest.MonkeyPatch.context() as patch, at(patch, NOW):
        for said in (first, other, first, other):
            again, expected = judged(request(**parts(said))), fresh(request(**parts(said)))
            assert (expected.status, headers_of(expected), expected.body) == (
                again.status,
                headers_of(again),
                again.body,
            )


def test_a_yes_and_a_no_are_remembered_and_given_again():
    for person, expected in ((ALICE, 200), (MALLORY, 403)):
        first = ask(SEARCH_URL, cookie(person))
        assert expected == first.status
        assert first is ask(SEARCH_URL, cookie(person))
    assert 2 == remembered()


FORGETTABLE = {
    "a stranger": {},
    "a bad session": {"Cookie": "gatehouse=bad"},
    "a bad key": bearer("ghk_bad"),
    "two sessions": {"Cookie": f"{cookie(ALICE)['Cookie']}; {cookie(ALICE, 1)['Cookie']}"},
    "a key and a session": cookie(ALICE) | bearer(key_of(BOB)),
    "a look-alike": cookie(ALICE) | {"X_Original_URL": "x"},
}


@pytest.mark.parametrize("shown", FORGETTABLE.values(), ids=FORGETTABLE)
def test_what_is_not_sure_to_stay_so_is_not_remembered(shown):
    ask(SEARCH_URL, shown)
    assert 0 == remembered()


def test_secrets_are_not_remembered():
    ask(SEARCH_URL, cookie(ALICE))
    ask(SEARCH_URL, bearer(key_of(ALICE)))
    known = repr([*current_world().memory.answers.items()])
    assert key_of(ALICE) not in known
    assert cookie(ALICE)["Cookie"].partition("=")[2] not in known


CHANGES = {
    "she is suspended": (PEOPLE[0]._replace(active=False), cookie, 403),
    "she is removed": (f.PersonGone(ALICE), cookie, 403),
    "her session is ended": (f.SessionGone(ALICE * 10), cookie, 401),
    "her key is revoked": (f.KeyGone(ALICE * 10), bearer, 401),
    "her key loses a scope": (key(ALICE, "groups:read"), bearer, 403),
    "she leaves the group": (f.MemberGone(ALICE, INTERNS), cookie, 403),
    "the groups are no longer nested": (f.NestGone(INTERNS, ENGINEERING), cookie, 403),
    "the group goes": (f.GroupGone(INTERNS), cookie, 403),
    "the grant goes": (f.GrantGone(2), cookie, 403),
    "the grant is for others": (GRANTS[1]._replace(group=SALES), cookie, 403),
    "the grant is for tools": (GRANTS[1]._replace(tools=("find",)), cookie, 403),
    "the grant is for a network": (GRANTS[1]._replace(networks=("192.0.2.0/24",)), cookie, 403),
    "the server is switched off": (SERVERS[1]._replace(enabled=False), cookie, 403),
    "the server goes": (f.ServerGone(SEARCH), cookie, 403),
    "the route goes": (SERVERS[1]._replace(routes=()), cookie, 403),
    "a tool is switched off": (SERVERS[1]._replace(switched_off=("find",)), cookie, 403),
    "the proxy is distrusted": (f.ProxyGone(1), cookie, 403),
    "the proxy has another secret": (f.ProxyIs(1, "nginx", "0" * 64, ()), cookie, 403),
}


@EITHER_WAY
@pytest.mark.parametrize(("fact", "show", "expected"), CHANGES.values(), ids=CHANGES)
def test_a_change_of_anything_forgets_the_answer(fact, show, expected, ask):
    shown = bearer(key_of(ALICE)) if show is bearer else cookie(ALICE)
    live_in(world())
    assert [200, 200] == [ask(SEARCH_URL, shown).status for _ in range(2)]
    live_in(world(fact, revision=101))
    assert [expected, expected] == [ask(SEARCH_URL, shown).status for _ in range(2)]
    live_in(world())
    assert 200 == ask(SEARCH_URL, shown).status


@EITHER_WAY
@pytest.mark.parametrize(
    ("fact", "person", "url"),
    [
        (f.MemberIs(MALLORY, ENGINEERING, None), MALLORY, SEARCH_URL),
        (f.NestIs(USERS, ENGINEERING), MALLORY, SEARCH_URL),
        (f.GrantIs(9, None, MALLORY, "use", SEARCH, None, None, ()), MALLORY, SEARCH_URL),
        (f.NestIs(ADMIN, SALES), CAROL, CRM_URL),
    ],
)
def test_a_no_is_forgotten_by_a_change_as_well(fact, person, url, ask):
    assert [403, 403] == [ask(url, cookie(person)).status for _ in range(2)]
    live_in(world(fact, revision=101))
    assert 200 == ask(url, cookie(person)).status


ENDS = {
    "the session's limit": ((session(ALICE, until=NOW + 100),), cookie, 401),
    "the key's expiry": ((key(ALICE, "use", until=NOW + 100),), bearer, 401),
    "the membership": ((f.MemberIs(ALICE, INTERNS, NOW + 100),), cookie, 403),
    "the membership, for a key": ((f.MemberIs(ALICE, INTERNS, NOW + 100),), bearer, 403),
    "the grant": ((GRANTS[1]._replace(until=NOW + 100),), cookie, 403),
}


@EITHER_WAY
@pytest.mark.parametrize(("facts", "show", "expected"), ENDS.values(), ids=ENDS)
def test_an_answer_ends_at_the_very_instant_at_which_its_reason_ends(facts, show, expected, monkeypatch, ask):
    shown = bearer(key_of(ALICE)) if show is bearer else cookie(ALICE)
    live_in(world(*facts))
    for after, status in ((0, 200), (99, 200), (99.999, 200), (100, expected), (100.001, expected), (10**6, expected)):
        with at(monkeypatch, NOW + after):
            assert status == ask(SEARCH_URL, shown).status, f"{after} seconds later"


@EITHER_WAY
def test_an_answer_from_before_is_not_given_after_the_clock_was_set_back(monkeypatch, ask):
    live_in(world(f.MemberIs(ALICE, INTERNS, NOW + 100)))
    for after, status in ((200, 403), (0, 200), (200, 403)):
        with at(monkeypatch, NOW + after):
            assert status == ask(SEARCH_URL, cookie(ALICE)).status


@EITHER_WAY
def test_a_session_that_is_used_stays_and_one_that_is_not_idles_out(monkeypatch, ask):
    """Asking is using, and a remembered answer is asking too."""
    live_in(world(session(ALICE, number=7, idle=60, seen=NOW)))
    shown = cookie(ALICE, 7)
    try:
        for after, status in ((0, 200), (59, 200), (118, 200), (177.9, 200), (237.8, 200), (297.9, 401), (298, 401)):
            with at(monkeypatch, NOW + after):
                assert status == ask(SEARCH_URL, shown).status, f"{after} seconds later"
    finally:
        USAGE.session_used(ALICE * 10 + 7, 0.0)


@EITHER_WAY
def test_a_remembered_no_does_not_keep_a_session_of_nobody_alive(monkeypatch, ask):
    live_in(world(session(MALLORY, number=7, until=NOW + 10)))
    for after, status in ((0, 403), (9, 403), (10, 401)):
        with at(monkeypatch, NOW + after):
            assert status == ask(SEARCH_URL, cookie(MALLORY, 7)).status


def test_long_urls_and_refused_ones_take_no_room():
    """There is no end of URLs, and a stranger may choose them."""
    for number in range(50):
        ask(f"{SEARCH_URL}/{number}?{'q' * 4000}", cookie(ALICE))
        ask(f"https://mcp.example.com/..{number}/../{'q' * 4000}")
    assert 0 == len(current_world().memory.urls)
    assert 200 == ask(f"{SEARCH_URL}/1", cookie(ALICE)).status
    assert 1 == len(current_world().memory.urls)
