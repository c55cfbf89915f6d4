"""Every answer carries every identity header, holds nothing that breaks a line, and says when it ends."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.decisions import facts as f
from authz.edge.answers import FAMILIES
from authz.errors import InvalidName
from authz.formats.header import decode
from authz.formats.labels import parse_label
from tests.people import (
    ALICE,
    BOB,
    CRM_URL,
    ENGINEERING,
    EVE,
    INTERNS,
    MALLORY,
    PEOPLE,
    SEARCH_URL,
    ask,
    at,
    bearer,
    cookie,
    headers_of,
    key,
    key_of,
    live_in,
    session,
    world,
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("house")
ALWAYS = ("x-user-groups-truncated", "authz-revision", "cache-control", "x-auth-expires")


def everything():
    """Yield an answer of each status, and of each reason for a no."""
    yield 200, ask(SEARCH_URL, cookie(ALICE))
    yield 200, ask(None, cookie(MALLORY))
    yield 401, ask(SEARCH_URL)
    yield 401, ask(SEARCH_URL, bearer("ghk_wrong"))
    yield 401, ask(SEARCH_URL, {"Cookie": "gatehouse=\x00"})
    yield 403, ask(SEARCH_URL, cookie(MALLORY))
    yield 403, ask(SEARCH_URL, bearer(key_of(EVE)))
    yield 403, ask("nonsense", cookie(ALICE))


@pytest.mark.parametrize(
    "families", [("x-user",), ("remote",), ("x-auth-request",), ("x-user", "remote", "x-auth-request")]
)
def test_every_identity_header_is_there_whatever_the_answer_is(families, settings):
    """A proxy that only sets what it is given would let a client's own header through (Caddy CVE-2026-30851)."""
    settings.AUTHZ_IDENTITY_HEADERS = list(families)
    live_in(world())
    wanted = {name.lower() for family in families for name in FAMILIES[family]} | set(ALWAYS)
    for status, answer in everything():
        found = headers_of(answer)
        assert status == answer.status
        assert set() == wanted - set(found)
        named = {found[name] for family in families for name in map(str.lower, FAMILIES[family])}
        assert (named == {""}) == (status != 200)


def test_who_it_is_stands_in_the_headers():
    found = headers_of(ask(SEARCH_URL, cookie(ALICE)))
    assert ("alice@example.com", "a" * 32, "Alice") == (found["x-user-email"], found["x-user-id"], found["x-user-name"])
    assert "Interns,engineering,users" == found["x-user-groups"]
    assert ("0", "3f9c2a51.100", "no-store") == (
        found["x-user-groups-truncated"], found["authz-revision"], found["cache-control"],
    )  # fmt: skip


def test_a_name_and_a_group_with_a_comma_stay_one():
    found = headers_of(ask(CRM_URL, cookie(BOB)))
    assert "Bob %C3%84rztemann%2C Sales" == found["x-user-name"]
    assert ["R&D, Sales", "users"] == [decode(name) for name in found["x-user-groups"].split(",")]


def test_each_product_s_names_mean_what_they_mean_there(settings):
    settings.AUTHZ_IDENTITY_HEADERS = ["remote", "x-auth-request"]
    live_in(world())
    found = headers_of(ask(SEARCH_URL, cookie(ALICE)))
    assert "alice@example.com" == found["remote-user"] == found["remote-email"]
    assert "alice@example.com" == found["x-auth-request-user"] == found["x-auth-request-email"]
    assert "Alice" == found["remote-name"] == found["x-auth-request-preferred-username"]
    assert "Interns,engineering,users" == found["remote-groups"] == found["x-auth-request-groups"]
    assert "x-user-email" not in found


def test_only_200_401_and_403_are_ever_said_to_nginx():
    for (url, shown), more in itertools.product(
        itertools.product((SEARCH_URL, CRM_URL, "nonsense", None), ({}, cookie(ALICE), cookie(EVE), bearer("x"))),
        ({}, {"Accept": "text/html"}, {"Upgrade": "websocket"}, {"X-Real-IP": "x"}, {"X_Original_URL": "x"}),
    ):
        assert ask(url, shown, more).status in {200, 401, 403}


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_name_that_anything_may_have_breaks_a_line(name, group):
    try:
        named, grouped = parse_label(name), parse_label(group)
    except InvalidName:
        return
    live_in(world(PEOPLE[0]._replace(name=named), f.GroupIs(ENGINEERING, grouped, False)))
    answer = ask(SEARCH_URL, cookie(ALICE))
    found = headers_of(answer)
    assert 200 == answer.status
    assert named == decode(found["x-user-name"])
    assert grouped in [decode(each) for each in found["x-user-groups"].split(",")]
    assert not set("".join(found.values())) & set("\r\n\0")


def test_even_names_that_no_format_let_in_break_no_line():
    """The tables may have been written by hand."""
    evil = "x\r\nX-User-Email: carol@example.com\r\n\r\n\0\ud800"
    live_in(world(PEOPLE[0]._replace(name=evil, email=evil), f.GroupIs(ENGINEERING, evil, False)))
    for line in ask(SEARCH_URL, cookie(ALICE)).identity.split(b"\r\n"):
        assert line.isascii()
        assert not set(line) & {0, 10, 13}
        assert not line.startswith(b"X-User-Email: carol")


def test_a_list_of_groups_that_is_too_long_is_cut_and_says_so(settings):
    settings.AUTHZ_GROUPS_HEADER_LIMIT = 100
    groups = [f.GroupIs(100 + n, f"group number {n:02}", False) for n in range(40)]
    live_in(world(*groups, *(f.MemberIs(ALICE, group.number, None) for group in groups)))
    found = headers_of(ask(SEARCH_URL, cookie(ALICE)))
    assert "1" == found["x-user-groups-truncated"]
    assert len(found["x-user-groups"]) <= 100
    assert set(found["x-user-groups"].split(",")) <= {group.name for group in groups} | {
        "Interns",
        "engineering",
        "users",
    }


NOW = 1_760_000_000.0
ENDS = {
    "never": ((key(ALICE, "use"),), bearer, ""),
    "with the key": ((key(ALICE, "use", until=NOW + 50),), bearer, str(int(NOW) + 50)),
    "with the session": ((session(ALICE, until=NOW + 60.9),), cookie, str(int(NOW) + 60)),
    "with the membership": ((key(ALICE, "use"), f.MemberIs(ALICE, INTERNS, NOW + 70)), bearer, str(int(NOW) + 70)),
    "with the grant": (
        (key(ALICE, "use"), f.GrantIs(2, ENGINEERING, None, "use", 2, None, NOW + 80, ())), bearer, str(int(NOW) + 80),
    ),
    "with the first of them": (
        (key(ALICE, "use", until=NOW + 90), f.MemberIs(ALICE, INTERNS, NOW + 70)), bearer, str(int(NOW) + 70),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("facts", "show", "expected"), ENDS.values(), ids=ENDS)
def test_an_allowance_says_when_it_ends_by_itself(facts, show, expected, monkeypatch):
    live_in(world(*facts))
    with at(monkeypatch, NOW):
        answer = ask(SEARCH_URL, show(key_of(ALICE)) if show is bearer else show(ALICE))
    assert (200, expected) == (answer.status, headers_of(answer)["x-auth-expires"])


def test_a_refusal_has_no_future():
    for status, answer in everything():
        assert (status != 200) == (headers_of(answer)["x-auth-expires"] == "0")


def test_whatever_goes_wrong_is_a_denial_with_every_header(settings):
    """The key that signs is none: nothing can be signed, so nothing is allowed."""
    settings.AUTHZ_ASSERTION_KEY = "not a key"
    answer = ask(SEARCH_URL, cookie(ALICE))
    assert (403, "unavailable") == (answer.status, headers_of(answer)["x-auth-reason"])
    assert "" == headers_of(answer)["x-user-email"]
    assert 403 == ask(SEARCH_URL, cookie(MALLORY)).status
