"""What went wrong for others, part one: which address is asked for."""

import pytest

from tests.people import (
    ALICE,
    BOB,
    CRM_URL,
    MALLORY,
    SEARCH_URL,
    SECRET,
    ask,
    cookie,
    headers_of,
    judged,
    reason,
    request,
)

pytestmark = pytest.mark.usefixtures("house")
MCP = "https://mcp.example.com"


def refused(url: str, person: int = ALICE) -> bool:
    """Return whether somebody is refused because nobody can be sure what the URL means."""
    answer = ask(url, cookie(person))
    return (403, "unreadable-url") == (answer.status, reason(answer))


@pytest.mark.parametrize(
    "url", [f"{MCP}/jira?x=/search", f"{MCP}/jira?/search", f"{MCP}/?next=/search", f"{MCP}/jira&/search"]
)
def test_a_query_never_chooses_the_route(url):
    """oauth2-proxy CVE-2025-54576: a route was matched against path and query."""
    assert 403 == ask(url, cookie(ALICE)).status


@pytest.mark.parametrize("tail", ["#/search", "%23/search", "/%23/../../search", "/../search#/jira", "#", "%23"])
def test_a_fragment_never_chooses_the_route(tail):
    """oauth2-proxy GHSA-pxq7-h93f-9jrg and Traefik GHSA-fvhj-4qfh-q2hm: "#" hid the rest of a path."""
    assert refused(f"{MCP}/jira{tail}")
    assert refused(f"{MCP}/search{tail}")


@pytest.mark.parametrize("tail", [";a=b", ";/../jira", "/..;/jira", "/..;a=b/jira", "/;/jira", "%3b/jira"])
def test_a_matrix_parameter_never_chooses_the_route(tail):
    """Envoy CVE-2026-73551: "..;a=b" climbed behind the proxy and not before it."""
    assert refused(f"{MCP}/search{tail}")


MALFORMED = [
    "https://mcp.example.com/search\x01", "https://mcp.example.com/%zz", "https://mcp.example.com/a b",
    f"https://mcp.example.com/search/{'a' * 9000}", "/search", "*", "mcp.example.com:443", "https:///search", "?", "",
    "https://mcp.example.com/search\\", "http://", "//mcp.example.com/search", "https://mcp.example.com:search/",
]  # fmt: skip


@pytest.mark.parametrize("url", MALFORMED)
def test_a_url_that_cannot_be_parsed_is_never_a_yes(url):
    """Authelia CVE-2021-32637 (CVSS 10): a malformed URI was answered with 200 behind nginx."""
    assert refused(url)
    assert 401 == ask(url).status


CLIMBS = [
    "/search/../jira", "/search/%2e%2e/jira", "/search/.%2e/jira", "/search/%2e./jira", "/search/..%2fjira",
    "/search%2f..%2fjira", "/search/..\\jira", "/search/%5c..%5cjira", "/search/%252e%252e/jira", "/search//../jira",
    "/search/./../jira", "/search/..", "/search/..%00/jira", "/search/%c0%ae%c0%ae/jira",
    "/search/%EF%BC%8E%EF%BC%8E/jira",
]  # fmt: skip


@pytest.mark.parametrize("path", CLIMBS)
def test_a_path_that_climbs_is_refused_in_every_spelling(path):
    """Oathkeeper CVE-2026-33494 (CVSS 10): "/public/../admin" matched the rule for what is public.

    And LemonLDAP CVE-2020-24660, heimdall GHSA-3q34-rx83-r6mq, Keycloak CVE-2026-15573, and Envoy GHSA-xcx5-93pw-jw2w,
    CVE-2021-29492 and CVE-2021-32779.
    """
    assert refused(MCP + path)


@pytest.mark.parametrize("path", ["/search../jira", "/search..", "/search../", "/search..%2f"])
def test_dots_at_the_end_of_a_segment_are_refused(path):
    """Traefik CVE-2026-48020 and CVE-2026-40912: StripPrefix("/api") made "../admin" of "/api../admin"."""
    assert refused(MCP + path)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://MCP.EXAMPLE.COM/search", 200),
        ("https://mcp.example.com./search", 200),
        ("https://mcp.example.com:443/search", 200),
        ("https://mcp.example.com:8443/search", 200),
        ("https://CRM.example.com/", 403),
        ("https://crm.example.com.:443/", 403),
        ("https://mcp.example.com.evil.com/search", 403),
        ("https://mcp.example.com@crm.example.com/search", 403),
        ("https://mcp.examp1e.com/search", 403),
    ],
)
def test_a_host_is_one_host_in_every_spelling(url, expected):
    """Heimdall GHSA-72h4-mxfc-jx37: hosts were compared by case, so another spelling fell through to another rule."""
    assert expected == ask(url, cookie(ALICE)).status


@pytest.mark.parametrize(
    "host", ["a,b", "a;b", 'a"b', "a b", "a\tb", "a?b", "a#b", "a/b", "a@b", "a\\b", "[::1", "a%00b"]
)
def test_a_host_that_could_end_early_is_refused(host):
    """Heimdall CVE-2026-57209: what a Host header held was injected into another header."""
    assert refused(f"https://{host}/search") or "/" in host
    asked = {"X-Original-URI": "/search", "Host": host, "X-Proxy-Secret": SECRET} | cookie(ALICE)
    assert 403 == judged(request(asked)).status


def test_the_scheme_chooses_no_rule():
    """Oathkeeper CVE-2026-33495: a spoofed X-Forwarded-Proto picked another rule."""
    statuses = {
        ask(f"{scheme}://mcp.example.com/{path}", cookie(ALICE)).status
        for scheme in ("http", "https", "ws", "wss")
        for path in ("jira",)
    }
    assert {403} == statuses


def test_raw_and_decoded_path_must_lead_to_the_same_server():
    """Pomerium CVE-2023-33189 (CVSS 10): a crafted request got the decision of another route."""
    assert refused(f"{MCP}/%73earch") is True
    assert refused(f"{MCP}/searc%68/x", BOB)
    assert 200 == ask(f"{MCP}/search/%73", cookie(ALICE)).status


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/ping", "/health", "/debug/pprof", "/favicon.ico"])
@pytest.mark.parametrize("agent", ["GoogleHC/1.0", "ELB-HealthChecker/2.0", "kube-probe/1.31", ""])
def test_no_monitor_is_let_through(path, agent):
    """oauth2-proxy CVE-2026-34457: a health checker's User-Agent was answered with 200."""
    assert 401 == ask(f"https://crm.example.com{path}", {"User-Agent": agent}).status
    assert 403 == ask(f"https://crm.example.com{path}", cookie(MALLORY), {"User-Agent": agent}).status


@pytest.mark.parametrize(
    ("url", "leads_back"),
    [
        (SEARCH_URL, True),
        (CRM_URL, True),
        ("https://evil.com/files/x", False),
        ("https://evil.com/", False),
        ("https://mcp.example.com.evil.com/search", False),
        ("https://mcp.example.com@evil.com/search", False),
        ("https://mcp.example.com/nowhere", False),
        ("wss://mcp.example.com/search", False),
        (f"{SEARCH_URL}?{'q' * 3000}", False),
        ("nonsense", False),
    ],
)
def test_a_login_leads_back_only_to_a_host_that_is_registered_by_name(url, leads_back):
    """oauth2-proxy GHSA-4mf2-f3wh-gvf2 and three more: an open redirect behind the login page.

    A route for any host ("*") says nothing about whose the host is.
    """
    where = headers_of(ask(url))["location"]
    assert leads_back == ("?rd=" in where)
    assert where.startswith("http://127.0.0.1:8000/login")
