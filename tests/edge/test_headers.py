"""A header counts once, under its own name, and nothing that imitates it counts at all."""

import itertools
from typing import Any

import pytest

from authz.edge import request as reading
from authz.edge.request import IGNORED, JOINED, KNOWN, LONGEST_NAME, LOOKALIKE, ROLES_REMEMBERED, Request, role_of
from tests.people import ALICE, MALLORY, SEARCH_URL, SECRET, ask, cookie, judged, key_of, nginx, reason, request

pytestmark = pytest.mark.usefixtures("house")
SINGLE = sorted(KNOWN - set(JOINED))
TWINS = sorted({
    twin
    for name in KNOWN
    for old, new in (("-", "_"), ("-", "."))
    for twin in (name.replace(old, new), name.replace(old, new, 1), name.replace(old, new).title())
    if "-" in name
})  # fmt: skip


def asked(*more):
    """Return what nginx asks for Alice, as pairs, with more of them behind."""
    return [*nginx(SEARCH_URL, cookie(ALICE)).items(), *more]


@pytest.mark.parametrize("twin", TWINS)
def test_a_name_that_others_could_take_for_a_known_one_spoils_the_request(twin):
    """CGI, WSGI and PHP cannot tell X_Original_URL from X-Original-URL, and some application behind us is one."""
    assert LOOKALIKE == role_of(twin.encode())
    answer = judged(request(asked((twin, "x"))))
    assert (403, "unreadable-url") == (answer.status, reason(answer))


@pytest.mark.parametrize("name", SINGLE)
def test_a_known_header_that_comes_twice_spoils_the_request(name):
    said = {key.lower(): value for key, value in asked()}
    first = said.pop(name, "x")
    for second in (first, "another", ""):
        answer = judged(request([*said.items(), (name, first), (name.title(), second)]))
        assert 200 != answer.status


@pytest.mark.parametrize("name", SINGLE)
def test_a_request_that_is_spoilt_never_even_tells_who_asks(name):
    """Without a URL the same holds: which of two credentials counts is not ours to guess."""
    pairs = [("Cookie", cookie(ALICE)["Cookie"]), (name, "x"), (name, "x")]
    assert judged(request(pairs)).status in {401, 403}


@pytest.mark.parametrize("name", ["X-ORIGINAL-URL", "x-original-url", "X-oRiGiNaL-uRl"])
def test_case_does_not_matter(name):
    pairs = [(name, SEARCH_URL), ("x-PROXY-secret", SECRET), *cookie(ALICE).items()]
    assert 200 == judged(request(pairs)).status


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_nul_in_any_header_is_never_a_yes(name):
    said = {key.lower(): value for key, value in asked()}
    said[name] = said.get(name, "") + "\0"
    assert 200 != judged(request(said)).status


@pytest.mark.parametrize(("name", "byte"), list(itertools.product(sorted(KNOWN), (0x80, 0x85, 0xA0, 0xC3, 0xFF))))
def test_bytes_beyond_ascii_fail_nothing_and_open_nothing(name, byte):
    """Mallory gains nothing by them, and Alice loses at most the answer."""
    for person in (ALICE, MALLORY):
        said: dict[str, Any] = {key.lower(): value for key, value in nginx(SEARCH_URL, cookie(person)).items()}
        said[name] = said.get(name, "").encode() + bytes([byte])
        answer = judged(request(said))
        assert answer.status in ({200, 401, 403} if person == ALICE else {401, 403})
        assert reason(answer) != "unavailable"


HARMLESS = {
    "identity headers": [("X-User-Email", "carol@example.com"), ("X_User_Email", "carol@example.com")],
    "hop-by-hop names": [("Connection", "X-User-Email, X-Original-URL, Cookie, X-Proxy-Secret")],
    "a monitor's name": [("User-Agent", "GoogleHC/1.0 ELB-HealthChecker/2.0 kube-probe/1.29")],
    "other products' headers": [
        ("X-Rewrite-URL", "/jira"),
        ("X-HTTP-Method-Override", "GET"),
        ("X-Forwarded-Prefix", "/"),
    ],
    "Forwarded": [("Forwarded", 'for=192.0.2.1;host="crm.example.com";proto=https')],
}


@pytest.mark.parametrize("more", HARMLESS.values(), ids=HARMLESS)
def test_other_headers_change_nothing(more):
    assert 200 == judged(request(asked(*more))).status
    for person, expected in ((MALLORY, 403), (None, 401)):
        shown = cookie(person) if person else {}
        assert expected == judged(request([*nginx(SEARCH_URL, shown).items(), *more])).status
    assert all(IGNORED == role_of(name.encode()) for name, _ in more)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["a=1", "gatehouse=x"], "a=1; gatehouse=x"),
        (["a=1"], "a=1"),
    ],
)
def test_cookies_may_come_in_several_lines(lines, expected):
    """HTTP/2 splits them (RFC 9113 §8.2.3)."""
    made = Request("GET", "/", "")
    for line in lines:
        made.add(b"cookie", line.encode())
    assert expected == made.headers["cookie"]
    assert "" == made.problem


@pytest.mark.parametrize("glue", ["; ", ", ", ";", ",", ";  "])
def test_the_session_is_found_among_other_cookies_however_they_are_joined(glue):
    """HAProxy joins lines by a comma."""
    value = cookie(ALICE)["Cookie"]
    for line in (f"a=1{glue}{value}", f"{value}{glue}b=2", f"a=1{glue}{value}{glue}b=gatehouse"):
        assert 200 == ask(SEARCH_URL, {"Cookie": line}).status
    assert 401 == ask(SEARCH_URL, {"Cookie": f"a=1{glue}x{value}"}).status
    assert 401 == ask(SEARCH_URL, {"Cookie": value.replace("gatehouse", "Gatehouse")}).status


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_the_scheme_of_a_token_is_read_in_any_case(scheme):
    assert 200 == ask(SEARCH_URL, {"Authorization": f"{scheme} {key_of(ALICE)}"}).status


@pytest.mark.parametrize("scheme", ["Basic", "Token", "Bearer:", "Bearerx", ""])
def test_a_key_under_another_scheme_is_not_read(scheme):
    assert 401 == ask(SEARCH_URL, {"Authorization": f"{scheme} {key_of(ALICE)}"}).status


def test_the_table_of_roles_stays_small_whatever_is_sent():
    from authz.edge import request as module  # noqa: PLC0415  to look at its table

    for number in range(10_000):
        Request("GET", "/", "").add(f"x-{number}".encode(), b"")
    assert len(module._roles) <= module.ROLES_REMEMBERED  # noqa: SLF001  to look at its table


def test_long_names_of_headers_are_read_and_not_remembered():
    """A client may invent any number of any length."""
    assert max(map(len, KNOWN)) <= LONGEST_NAME
    before = set(reading._roles)  # noqa: SLF001  what it remembers is the question
    for number in range(ROLES_REMEMBERED):
        assert IGNORED == role_of(b"x-%d-" % number + b"x" * 60_000)
    assert before == set(reading._roles)  # noqa: SLF001
