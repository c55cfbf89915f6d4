"""Inside the portal the edge answers as it does alone, and tells the pages where a client really is."""

import asyncio
import json

import pytest

from authz.edge.asgi import answer, behind_proxy, edge_judge
from authz.edge.serve import LARGEST_BODY
from tests.people import ALICE, CHAT, MALLORY, SEARCH_URL, SECRET, ask, bearer, cookie, headers_of, key_of, nginx

pytestmark = pytest.mark.usefixtures("house")


def scope(headers, *, path="/auth/validate", method="GET", query=b"", peer="10.0.0.5"):
    pairs = headers.items() if isinstance(headers, dict) else headers
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
    return {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query,
        "headers": raw,
        "client": (peer, 1) if peer else None,
    }  # fmt: skip


def asked(headers, *, bodies=(b"",), **more):
    """Return status, headers and body of the answer to one request."""
    made = scope(headers, **more)
    messages = [{"type": "http.request", "body": each, "more_body": True} for each in bodies[:-1]]
    messages += [{"type": "http.request", "body": bodies[-1]}]
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    judge = edge_judge(made)
    assert judge is not None
    asyncio.run(answer(made, receive, send, judge))
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    assert len(found) == len(sent[0]["headers"])
    return sent[0]["status"], found, sent[1]["body"]


@pytest.mark.parametrize(("shown", "expected"), [(cookie(ALICE), 200), (cookie(MALLORY), 403), ({}, 401)])
def test_both_adapters_give_the_same_answer(shown, expected):
    status, found, body = asked(nginx(SEARCH_URL, shown))
    alone = ask(SEARCH_URL, shown)
    assert expected == status == alone.status
    assert {**headers_of(alone), "content-length": str(len(alone.body))} == found
    assert alone.body == body


def test_a_header_that_comes_twice_or_imitates_another_is_seen_here_too():
    """Django CVE-2026-3902: an ASGI request took X_Original_URL for X-Original-URL."""
    pairs = [*nginx(SEARCH_URL, cookie(ALICE)).items()]
    for more in (("X-Original-URL", SEARCH_URL), ("X_Original_URL", SEARCH_URL), ("x.real.ip", "192.0.2.1")):
        assert 403 == asked([*pairs, more])[0]


def test_a_body_may_come_in_pieces_and_not_without_end():
    body = json.dumps({"user_id": "alice@example.com", "group_id": "interns"}).encode()
    more = {"path": "/api/v1/groups/check", "method": "POST"}
    assert b'"is_member": true' in asked(bearer(key_of(CHAT)), bodies=(body[:9], body[9:]), **more)[2]
    large = (b" " * LARGEST_BODY, b" ", b"")
    assert 413 == asked(bearer(key_of(CHAT)), bodies=large, **more)[0]


def test_head_has_no_body():
    status, found, body = asked(nginx(SEARCH_URL), method="HEAD")
    assert (401, b"") == (status, body)
    assert int(found["content-length"]) > 0


def test_other_paths_are_django_s():
    for path in ("/", "/login", "/auth/", "/auth/validate/x", "/AUTH/validate", "/admin/", "/api/v1/explain"):
        assert edge_judge(scope({}, path=path)) is None


@pytest.mark.parametrize(
    ("headers", "peer", "expected"),
    [
        ({"X-Proxy-Secret": SECRET, "X-Real-IP": "192.0.2.1"}, "10.0.0.5", "192.0.2.1"),
        ({"X-Proxy-Secret": SECRET, "X-Forwarded-For": "203.0.113.1, 192.0.2.1"}, "10.0.0.5", "192.0.2.1"),
        ({"X-Proxy-Secret": SECRET}, "10.0.0.5", "10.0.0.5"),
        ({"X-Proxy-Secret": SECRET, "X-Real-IP": "192.0.2.1:80"}, "10.0.0.5", "192.0.2.1"),
        (
            {"X-Proxy-Secret": SECRET, "X-Real-IP": "192.0.2.1", "X-Forwarded-For": "::ffff:192.0.2.1"},
            "10.0.0.5",
            "192.0.2.1",
        ),
        ({}, "::ffff:192.0.2.7", "192.0.2.7"),
        ({"X-Proxy-Secret": "wrong", "X-Real-IP": "192.0.2.1"}, "10.0.0.5", "10.0.0.5"),
        ({"X-Real-IP": "192.0.2.1"}, "127.0.0.1", "127.0.0.1"),
    ],
)
def test_the_pages_are_told_the_client_that_a_trusted_proxy_names(headers, peer, expected):
    """Else all wrong passwords would count for the proxy, and one guesser would keep everybody out."""
    told = behind_proxy(scope(headers, path="/login", peer=peer))
    assert told is not None
    assert expected == told["client"][0]


@pytest.mark.parametrize(
    "headers",
    [
        [("X-Real-IP", "nonsense")],
        [("X-Real-IP", "192.0.2.1"), ("X-Forwarded-For", "192.0.2.2")],
        [("X-Real-IP", "192.0.2.1"), ("X_Real_IP", "192.0.2.2")],
        [("X-Real-IP", "192.0.2.1"), ("X-API-Key", "a"), ("X-API-Key", "b")],
        [("X-Real-IP", "1" * 100_000)],
    ],
    ids=["no address", "two addresses", "a look-alike", "two keys", "a long one"],
)
def test_nobody_is_taken_for_the_proxy_because_of_what_a_client_sent(headers):
    """The pages are not asked at all; the edge refuses the same."""
    told = scope({"X-Proxy-Secret": SECRET}, path="/login", peer="10.0.0.5")
    told["headers"] += [(name.lower().encode(), value.encode()) for name, value in headers]
    assert behind_proxy(told) is None


def test_a_peer_without_an_address_stays_without_one():
    told = behind_proxy(scope({"X-Proxy-Secret": SECRET}, peer=""))
    assert told is not None
    assert told["client"] is None
