"""How Envoy's ext_authz asks: with the original method, Host and path behind a prefix."""

import pytest

from tests.people import ALICE, BOB, MALLORY, SECRET, bearer, cookie, headers_of, judged, key_of, reason, request

pytestmark = pytest.mark.usefixtures("house")


def ask(*shown, path="/search", host="mcp.example.com", proto="https", method="GET"):
    said = {"Host": host, "X-Forwarded-Proto": proto, "X-Proxy-Secret": SECRET}
    for each in shown:
        said |= each
    headers = {name: value for name, value in said.items() if value is not None}
    return judged(request(headers, target=f"/auth/validate/envoy{path}", method=method))


@pytest.mark.parametrize(
    ("person", "asked", "expected"),
    [
        (ALICE, {}, 200),
        (ALICE, {"path": "/search/x?y=1"}, 200),
        (ALICE, {"method": "DELETE"}, 200),
        (ALICE, {"path": "/jira/mcp"}, 403),
        (ALICE, {"path": "/"}, 403),
        (BOB, {}, 403),
        (BOB, {"path": "/", "host": "crm.example.com"}, 200),
        (MALLORY, {}, 403),
    ],
)
def test_the_path_behind_the_prefix_is_judged(person, asked, expected):
    assert expected == ask(cookie(person), **asked).status


WRONG = {
    "no scheme": {"proto": None},
    "no host": {"host": None},
    "an empty host": {"host": ""},
    "a host that swallows the path": {"host": "mcp.example.com/search?", "path": "/jira"},
    "a scheme that is a URL": {"proto": "https://mcp.example.com/search?", "path": "/jira"},
    "a path that climbs": {"path": "/search/../jira"},
    "an encoded climb": {"path": "/search/%2e%2e/jira"},
    "an encoded slash": {"path": "/search%2fx"},
    "a parameter": {"path": "/search;a=b"},
    "a fragment": {"path": "/search#x"},
    "two slashes": {"path": "//search"},
    "bytes beyond ASCII": {"path": "/search\xff"},
}


@pytest.mark.parametrize("asked", WRONG.values(), ids=WRONG)
def test_what_has_no_one_meaning_is_refused(asked):
    answer = ask(cookie(ALICE), **asked)
    assert (403, "unreadable-url") == (answer.status, reason(answer))


def test_an_allowance_is_exactly_200_and_a_page_is_redirected():
    assert 200 == ask(bearer(key_of(ALICE))).status
    assert 302 == ask({"Accept": "text/html"}).status
    assert 401 == ask().status
    assert "location" in headers_of(ask())


def test_headers_of_other_dialects_mean_nothing_here():
    spoofed = {
        "X-Original-URL": "https://crm.example.com/",
        "X-Forwarded-Uri": "/",
        "X-Forwarded-Host": "crm.example.com",
    }
    assert 200 == ask(cookie(ALICE), spoofed).status
    assert 403 == ask(cookie(BOB), spoofed).status
