"""How nginx asks, and what it is told: 200, 401 or 403, and nothing else."""

import pytest

from authz.edge.asked import Asked
from authz.edge.nginx import read
from tests.people import (
    ALICE,
    BOB,
    CRM_URL,
    EVE,
    FILES_URL,
    JIRA_URL,
    MALLORY,
    SEARCH_URL,
    SECRET,
    ask,
    bearer,
    cookie,
    headers_of,
    judged,
    key_of,
    nginx,
    reason,
    request,
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("house")
PATHS = ("/auth/validate", "/auth/validate/nginx", "/validate", "/auth")


@pytest.mark.parametrize(
    ("who", "url", "expected"),
    [
        (cookie, SEARCH_URL, 200),
        (cookie, f"{SEARCH_URL}/deep/er?q=1", 200),
        (cookie, "https://mcp.example.com/searchlight", 403),
        (cookie, CRM_URL, 403),
        (cookie, "https://unknown.example.com/", 403),
        (cookie, "https://closed.example.com/", 403),
        (cookie, "https://mcp.example.com/search/../jira", 403),
        (None, SEARCH_URL, 401),
        (None, "https://unknown.example.com/", 401),
        (None, "nonsense", 401),
    ],
)  # fmt: skip
def test_alice_the_intern_reaches_search_and_a_stranger_signs_in(who, url, expected):
    assert expected == ask(url, who(ALICE) if who else {}).status


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "DELETE", "PURGE"])
def test_every_method_and_every_name_of_the_path_ask_the_same(path, method):
    """No method and no path is a way around: not OPTIONS, and not a health check."""
    for person, expected in ((ALICE, 200), (MALLORY, 403)):
        assert expected == judged(request(nginx(SEARCH_URL, cookie(person)), target=path, method=method)).status
    assert 401 == judged(request(nginx(SEARCH_URL), target=path, method=method)).status


def test_a_key_opens_what_a_session_opens():
    assert 200 == ask(SEARCH_URL, bearer(key_of(ALICE))).status
    assert 200 == ask(SEARCH_URL, {"X-API-Key": key_of(ALICE)}).status
    assert 403 == ask(SEARCH_URL, bearer(key_of(BOB))).status
    assert 403 == ask(SEARCH_URL, bearer(key_of(EVE))).status


def test_the_path_alone_is_read_beside_the_host():
    """Some configurations set X-Original-URI and Host, and clear the rest."""
    asked = {"X-Original-URI": "/search?q=1", "Host": "mcp.example.com", "X-Proxy-Secret": SECRET}
    assert 200 == judged(request(asked | cookie(ALICE))).status
    assert 403 == judged(request(asked | cookie(BOB))).status
    assert Asked("http://mcp.example.com/search?q=1", "", "") == read(request(asked))
    assert "https://" == read(request(asked | {"X-Forwarded-Proto": "https"})).url[:8]


def test_without_a_url_only_who_asks_is_told():
    answer = ask(None, cookie(MALLORY))
    assert (200, "mallory@example.com") == (answer.status, headers_of(answer)["x-user-email"])
    assert 401 == ask(None).status
    assert 403 == ask(None, cookie(EVE)).status


UNREADABLE = {
    "both a URL and a path": {"X-Original-URL": SEARCH_URL, "X-Original-URI": "/search"},
    "an empty URL": {"X-Original-URL": ""},
    "an empty path": {"X-Original-URI": "", "Host": "mcp.example.com"},
    "a path that is none": {"X-Original-URI": "search", "Host": "mcp.example.com"},
    "a whole URL as a path": {"X-Original-URI": SEARCH_URL, "Host": "mcp.example.com"},
    "an asterisk": {"X-Original-URI": "*", "Host": "mcp.example.com"},
    "a path without a host": {"X-Original-URI": "/search"},
    "a method without a URL": {"X-Original-Method": "GET"},
    "an empty method without a URL": {"X-Original-Method": ""},
    "a Traefik's path without a URL": {"X-Forwarded-Uri": "/search"},
    "a Traefik's method without a URL": {"X-Forwarded-Method": "GET"},
    "a scheme that is a URL": {
        "X-Original-URI": "/jira", "Host": "mcp.example.com", "X-Forwarded-Proto": "https://mcp.example.com/search?",
    },
    "a host that ends in a query": {"X-Original-URI": "/jira", "Host": "mcp.example.com/search?"},
    "a host that ends in a path": {"X-Original-URI": "/x", "Host": "mcp.example.com/search"},
    "a host with a user": {"X-Original-URI": "/search", "Host": "alice@mcp.example.com"},
    "a host with a fragment": {"X-Original-URI": "/search", "Host": "mcp.example.com#"},
    "a host with a backslash": {"X-Original-URI": "/search", "Host": "mcp.example.com\\"},
    "a URL whose host ends in a query": {"X-Original-URL": "https://mcp.example.com?/search"},
    "an unknown scheme": {"X-Original-URL": "gopher://mcp.example.com/search"},
}  # fmt: skip


@pytest.mark.parametrize("more", UNREADABLE.values(), ids=UNREADABLE)
def test_what_nginx_cannot_have_meant_is_refused(more):
    """The scheme and the Host may be the client's own words: they must not push the path that is asked for aside."""
    answer = judged(request({"X-Proxy-Secret": SECRET} | cookie(ALICE) | more))
    assert (403, "unreadable-url") == (answer.status, reason(answer))
    assert 401 == judged(request({"X-Proxy-Secret": SECRET} | more)).status


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"X-Real-IP": "192.0.2.9"}, 200),
        ({"X-Forwarded-For": "192.0.2.9"}, 200),
        ({"X-Forwarded-For": "203.0.113.5, 192.0.2.9"}, 200),
        ({"X-Real-IP": "192.0.2.9", "X-Forwarded-For": "203.0.113.5, 192.0.2.9"}, 200),
        ({"X-Real-IP": "::ffff:192.0.2.9"}, 200),
        ({"X-Forwarded-For": "192.0.2.9, 203.0.113.5"}, 403),
        ({"X-Forwarded-For": "192.0.2.9,"}, 403),
        ({"X-Real-IP": "203.0.113.5"}, 403),
        ({"X-Real-IP": ""}, 403),
        ({"X-Real-IP": "192.0.2.9", "X-Forwarded-For": "203.0.113.5"}, 403),
        ({"X-Real-IP": "203.0.113.5", "X-Forwarded-For": "192.0.2.9"}, 403),
        ({"X-Real-IP": "192.0.2.9:80"}, 200),
        ({"X-Real-IP": "192.0.2.9", "X-Forwarded-For": "::ffff:192.0.2.9"}, 200),
        ({"X-Real-IP": "192.0.2.9:80", "X-Forwarded-For": "203.0.113.5, 192.0.2.9:81"}, 200),
        ({"X-Real-IP": "192.0.2"}, 403),
        ({"X-Real-IP": "unknown"}, 403),
        ({"Forwarded": "for=192.0.2.9"}, 403),
        ({"X-Client-IP": "192.0.2.9"}, 403),
        ({}, 403),
    ],
)  # fmt: skip
def test_a_grant_for_one_network_needs_an_address_that_nginx_vouches_for(named, expected):
    """Of a chain only the last hop counts; where two headers disagree, the client may have written one of them."""
    assert expected == ask(FILES_URL, cookie(BOB), named).status


def test_an_address_that_is_none_is_refused_wherever_it_leads():
    for person, url in ((ALICE, SEARCH_URL), (BOB, CRM_URL)):
        assert 200 == ask(url, cookie(person), X_Real_IP="192.0.2.9").status
        assert (403, "unreadable-url") == (
            (answer := ask(url, cookie(person), X_Real_IP="not an address")).status, reason(answer),
        )  # fmt: skip


def test_tools_are_judged_by_the_original_method():
    call = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "get_issue"}
    assert 200 == ask(JIRA_URL, cookie(ALICE), call, method="POST").status
    assert (403, "tool-unnamed") == ((answer := ask(JIRA_URL, cookie(ALICE), call)).status, reason(answer))
