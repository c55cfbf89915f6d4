"""How Traefik, Caddy, HAProxy and APISIX ask, and what they pass on to the client."""

import pytest

from tests.people import ALICE, BOB, MALLORY, SECRET, bearer, cookie, headers_of, judged, key_of, reason, request

pytestmark = pytest.mark.usefixtures("house")
TARGET = "/auth/validate/forward"
PAGE = {"Accept": "text/html,*/*"}


def ask(*shown, uri="/search", host="mcp.example.com", proto="https", method="GET", secret=SECRET, **more):
    """Ask as these proxies do; a part that is None is not sent."""
    said = {"X-Forwarded-Method": method, "X-Forwarded-Proto": proto, "X-Forwarded-Host": host, "X-Forwarded-Uri": uri}
    said |= {"X-Proxy-Secret": secret} | {name.replace("_", "-"): value for name, value in more.items()}
    for each in shown:
        said |= each
    return judged(request({name: value for name, value in said.items() if value is not None}, target=TARGET))


@pytest.mark.parametrize(
    ("person", "asked", "expected"),
    [
        (ALICE, {}, 200),
        (ALICE, {"uri": "/search/x?y=/jira"}, 200),
        (ALICE, {"host": "MCP.example.com:443"}, 200),
        (ALICE, {"host": "mcp.example.com."}, 200),
        (ALICE, {"uri": "/searchlight"}, 403),
        (BOB, {}, 403),
        (BOB, {"host": "crm.example.com", "uri": "/"}, 200),
        (MALLORY, {}, 403),
    ],
)
def test_the_parts_make_one_url(person, asked, expected):
    assert expected == ask(cookie(person), **asked).status


PARTS = {
    "no method": {"method": None},
    "an empty method": {"method": ""},
    "no scheme": {"proto": None},
    "no host": {"host": None},
    "no path": {"uri": None},
    "an empty path": {"uri": ""},
    "a blank path": {"uri": " "},
    "a relative path": {"uri": "search"},
    "a whole URL": {"uri": "https://mcp.example.com/search"},
    "another scheme": {"proto": "ftp"},
    "two schemes": {"proto": "https, http"},
    "a scheme that is a URL": {"proto": "https://mcp.example.com/search?", "uri": "/jira"},
    "a host with a path": {"host": "mcp.example.com/search", "uri": "/../jira"},
    "a host that swallows the path": {"host": "mcp.example.com/search?", "uri": "/jira"},
    "a host with a bare query": {"host": "mcp.example.com?", "uri": "/search"},
    "a host with a fragment": {"host": "mcp.example.com/search#", "uri": "/jira"},
    "a host with a backslash": {"host": "mcp.example.com\\search", "uri": "/jira"},
    "a host with a user": {"host": "x@mcp.example.com"},
    "two hosts": {"host": "mcp.example.com, crm.example.com"},
    "a path that climbs": {"uri": "/search/../jira"},
}


@pytest.mark.parametrize("asked", PARTS.values(), ids=PARTS)
def test_a_part_that_is_missing_or_passes_for_another_is_refused(asked):
    answer = ask(cookie(ALICE), PAGE, **asked)
    assert (403, "unreadable-url") == (answer.status, reason(answer))


@pytest.mark.parametrize(
    ("shown", "method", "expected"),
    [
        (PAGE, "GET", 302),
        (PAGE, "HEAD", 302),
        (PAGE, "POST", 303),
        (PAGE, "PUT", 303),
        ({}, "GET", 401),
        ({"Accept": "application/json"}, "GET", 401),
        (PAGE | {"X-Requested-With": "XMLHttpRequest"}, "GET", 401),
        (PAGE | {"Sec-Fetch-Mode": "cors"}, "GET", 401),
        (PAGE | {"Sec-Fetch-Mode": "websocket"}, "GET", 401),
        (PAGE | {"Sec-Fetch-Mode": "navigate"}, "GET", 302),
        (PAGE | {"Upgrade": "websocket"}, "GET", 401),
        (PAGE | bearer("ghk_wrong"), "GET", 401),
        (PAGE | {"X-API-Key": "wrong"}, "GET", 401),
        (PAGE | {"Cookie": "gatehouse=wrong"}, "GET", 302),
    ],
)
def test_a_stranger_is_redirected_only_where_a_person_would_see_the_page(shown, method, expected):
    answer = ask(shown, method=method)
    assert expected == answer.status
    assert headers_of(answer)["location"].startswith("http://127.0.0.1:8000/login?rd=")


def test_only_who_showed_a_key_is_asked_for_a_better_one():
    """A challenge to a browser would open a password dialogue of its own."""
    assert "www-authenticate" in headers_of(ask(bearer("ghk_wrong")))
    assert "www-authenticate" not in headers_of(ask(PAGE))


def test_somebody_known_and_refused_is_never_sent_to_sign_in_again():
    """That would be a circle: sign in, be refused, sign in."""
    for shown in (cookie(MALLORY) | PAGE, bearer(key_of(MALLORY)) | PAGE):
        answer = ask(shown)
        assert (403, False) == (answer.status, "location" in headers_of(answer))


def test_an_answer_is_small_enough_for_every_proxy():
    """Traefik warns above 4096 bytes of body, nginx refuses more than 4 KB of headers."""
    for answer in (ask(cookie(ALICE)), ask(PAGE), ask(cookie(MALLORY)), ask(PAGE, uri=f"/search?{'q' * 7000}")):
        assert 512 > len(answer.body)
        assert 4096 > len(answer.identity) + len(answer.own)


def test_other_dialects_headers_mean_nothing_here():
    spoofed = {"X-Original-URL": "https://crm.example.com/", "X-Original-URI": "/jira", "X-Rewrite-URL": "/jira"}
    assert 200 == ask(cookie(ALICE), spoofed).status
    assert 403 == ask(cookie(BOB), spoofed).status
