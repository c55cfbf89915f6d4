"""The edge process reads HTTP strictly, answers in order, and outlives whatever is sent to it."""

import json
import re
import socket
import threading
from contextlib import ExitStack, closing, suppress

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.acts import SECRET
from tests.installation import about, ask, fetch, raw
from tests.patience import HANG
from tests.run.examples import examples

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@pytest.fixture
def here(edge_process):
    return edge_process[0]


@pytest.fixture
def edge(edge_process):
    yield edge_process[1]
    assert edge_process[1].process.child.poll() is None, "the edge process has died"


def lines(method, target, headers, body=b""):
    """Return a request as it stands on the wire."""
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return head.encode("latin-1") + (f"Content-Length: {len(body)}\r\n" if body else "").encode() + b"\r\n" + body


def statuses(got):
    """Return the statuses of all answers on a connection, having checked that each is whole."""
    found = []
    while got:
        head, _, rest = got.partition(b"\r\n\r\n")
        status = STATUS.match(head)
        assert status, got[:200]
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        assert length, head
        found.append(int(status[1]))
        got = rest[int(length[1]) :]
    return found


def test_the_people_we_know_are_answered(here, edge):
    for name, path, expected in (
        ("alice", "/search", 200), ("alice", "/crm", 403), ("bob", "/crm", 200), ("mallory", "/search", 403),
    ):  # fmt: skip
        assert expected == ask(edge, path, here.cookie(name)).status
        assert expected == ask(edge, path, here.bearer(name)).status
    assert 401 == ask(edge, "/search").status


def test_requests_in_one_breath_are_answered_in_their_order(here, edge):
    each = [lines("GET", "/auth/validate", about(path, shown)) for path, shown in (
        ("/search", here.cookie("alice")), ("/crm", here.cookie("alice")), ("/search", {}), ("/search",
        here.cookie("alice")),
    )]  # fmt: skip
    assert [200, 403, 401, 200] == statuses(raw(edge, b"".join(each)))


def test_one_that_needs_a_moment_is_not_overtaken_by_the_next(here, edge):
    """A session that this process has not heard of is looked for; what follows on the connection waits its turn."""
    ahead = here.do("revision").partition(".")
    demand = {"Authz-At-Least": f"{ahead[0]}.{int(ahead[2]) + 999}"} | here.bearer("chat")
    body = json.dumps({"user_id": "alice@example.com", "group_id": "interns"}).encode()
    slow = lines("POST", "/api/v1/groups/check", demand, body)
    quick = lines("GET", "/auth/validate", about("/search", here.cookie("alice")))
    assert [503, 200, 503, 200, 404] == statuses(
        raw(edge, slow + quick + slow + quick + lines("GET", "/x", {"Host": "h"}))
    )
    assert [503, 400] == statuses(raw(edge, slow + b"nonsense\r\n\r\n"))


def test_a_session_just_begun_is_good_at_once(here, edge):
    for _ in range(5):
        token = here.do("begin_session", "alice")
        assert 200 == ask(edge, "/search", {"Cookie": f"gatehouse={token}"}).status


UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "x" * 22,
}


@pytest.mark.parametrize(("name", "expected"), [("alice", 200), ("mallory", 403), (None, 401)])
def test_a_handshake_gets_one_answer_and_no_second_one(name, expected, here, edge):
    """What followed it would be taken for the answer to somebody else's request on the same connection."""
    shown = here.cookie(name) if name else {}
    sent = lines("GET", "/auth/validate", about("/search", shown, UPGRADE))
    assert [expected] == statuses(raw(edge, sent))
    assert [expected] == statuses(raw(edge, sent + b"GET /auth/validate HTTP/1.1\r\nHost: x\r\n\r\n"))


def test_connect_is_nothing_we_do(edge):
    assert [404] == statuses(raw(edge, b"CONNECT evil.com:443 HTTP/1.1\r\nHost: evil.com\r\n\r\n"))


MALFORMED = {
    "no HTTP": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "line feeds alone": b"GET /auth/validate HTTP/1.1\nHost: x\n\n",
    "a space before the colon": b"GET /auth/validate HTTP/1.1\r\nHost : x\r\n\r\n",
    "a folded header": b"GET /auth/validate HTTP/1.1\r\nCookie: a\r\n b\r\n\r\n",
    "a NUL in a name": b"GET /auth/validate HTTP/1.1\r\nHo\x00st: x\r\n\r\n",
    "a NUL in a value": b"GET /auth/validate HTTP/1.1\r\nHost: x\x00y\r\n\r\n",
    "a carriage return alone": b"GET /auth/validate HTTP/1.1\r\nHost: x\rX-A: b\r\n\r\n",
    "a byte beyond ASCII in the target": b"GET /auth/validate\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "two lengths": b"POST /auth HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length and chunks": b"POST /auth HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an odd length": b"POST /auth HTTP/1.1\r\nContent-Length: +1\r\n\r\na",
    "odd chunks": b"POST /auth HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "an odd version": b"GET /auth HTTP/9.9\r\n\r\n",
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED)
def test_what_is_not_strict_http_is_refused_and_the_connection_ends(sent, edge):
    assert [400] == statuses(raw(edge, sent))


def test_what_is_too_large_is_refused(edge):
    for sent in (
        b"GET /auth HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 1000) for n in range(400)),
        b"POST /api/v1/groups/check HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n" + b"x" * 400_000,
        b"POST /api/v1/groups/check HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 80_000,
    ):
        assert raw(edge, sent)[:12] in {b"HTTP/1.1 431", b""}


def test_head_has_no_body_and_old_clients_are_hung_up_on(here, edge):
    head = raw(edge, lines("HEAD", "/auth/validate", about("/search")))
    assert head.endswith(b"\r\n\r\n")
    assert b"HTTP/1.1 401" == head[:12]
    old = raw(edge, b"GET /livez HTTP/1.0\r\n\r\n" + b"GET /livez HTTP/1.0\r\n\r\n")
    assert 1 == old.count(b"HTTP/1.1 200")


def test_half_a_request_holds_up_nobody(here, edge):
    """The other half never comes, so whoever had to wait for it would never be answered."""
    port = int(edge.url.rpartition(":")[2])
    halves = []
    with ExitStack() as stack:
        for sent in (
            b"",
            b"GET /auth/val",
            lines("GET", "/auth", about("/search"))[:-2],
            b"POST /auth HTTP/1.1\r\nContent-Length: 9\r\n\r\nx",
        ):
            for _ in range(50):
                half = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=HANG))
                half.sendall(sent)
                halves.append(half)
        assert [200] * 20 == [ask(edge, "/search", here.cookie("alice")).status for _ in range(20)]
        halves[-1].sendall(b"12345678")
        assert b"HTTP/1.1 401" == halves[-1].recv(12)


def test_a_client_that_never_reads_holds_up_nobody(here, edge):
    port = int(edge.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=HANG) as deaf:
        deaf.setblocking(False)
        with suppress(BlockingIOError):
            for _ in range(2000):
                deaf.send(lines("GET", "/auth/validate", about("/search")) * 10)
        assert 200 == ask(edge, "/search", here.cookie("alice")).status


METHODS = st.sampled_from(
    ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PURGE", "get", "G\xe9T", ""]
)
TARGETS = st.sampled_from([
    "/auth/validate", "/auth", "/validate", "/auth/validate/forward", "/auth/validate/envoy/search",
    "/auth/validate/envoy/",
    "/api/v1/groups/check", "/api/check-group", "/.well-known/gatehouse/jwks.json", "/livez", "/readyz", "/", "*",
    "http://mcp.example.com/auth", "/auth/validate?x", "/auth/validate/../auth", "//auth", "/auth%2fvalidate",
    "/auth#x",
]) | st.text(max_size=20)  # fmt: skip
NAMES = st.sampled_from([
    "X-Original-URL", "X-Original-URI", "X-Original-Method", "X-Forwarded-Uri", "X-Forwarded-Host", "X-Forwarded-Proto",
    "X-Forwarded-Method", "X-Forwarded-For", "X-Real-IP", "Host", "Cookie", "Authorization", "X-API-Key", "Accept",
    "Upgrade",
    "Mcp-Method", "Mcp-Name", "MCP-Protocol-Version", "Authz-At-Least", "Connection", "Content-Length",
    "Transfer-Encoding",
    "X_Original_URL", "Expect", "Content-Type", "Sec-Fetch-Mode",
]) | st.text(max_size=8)  # fmt: skip
VALUES = st.sampled_from([
    "https://mcp.example.com/search", "https://mcp.example.com/jira", "/search", "mcp.example.com", "https", "GET",
    "127.0.0.1",
    "gatehouse=x", "Bearer x", "Bearer a.b.c", "ghk_x", "text/html", "websocket", "tools/call", "2026-07-28",
    "chunked", "0", "-1",
    "close", "keep-alive", "Upgrade", "100-continue", "", " ", "00000000.99",
]) | st.text(max_size=30)  # fmt: skip


@hypothesis_settings(suppress_health_check=list(HealthCheck), max_examples=examples(300))
@given(
    METHODS,
    TARGETS,
    st.lists(st.tuples(NAMES, VALUES), max_size=6),
    st.binary(max_size=60),
    st.booleans(),
    st.booleans(),
)
def test_whatever_a_stranger_or_mallory_sends_nothing_opens(  # noqa: PLR0917  hypothesis fills them in
    edge_process, method, target, headers, body, signed_in, trusted
):
    """Raw bytes: never a 500, never a 200 for an address, and the process goes on answering."""
    here, edge = edge_process
    said = list(headers)
    if trusted:
        said.append(("X-Proxy-Secret", SECRET))
    if signed_in:
        said.append(("Cookie", here.cookie("mallory")["Cookie"]))
    asks_for_a_url = target.startswith("/auth/validate/") or any(name.startswith("X-Original-UR") for name, _ in said)
    sent = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in said) + "\r\n"
    got = raw(edge, sent.encode("utf-8", "replace") + body)
    for status in re.findall(rb"HTTP/1\.1 (\d{3}) [^\r]*\r\n(X-User-Email: [^\r]*)?", got):
        assert status[0] in {b"200", b"302", b"303", b"400", b"401", b"403", b"404", b"405", b"431", b"503"}
        named = status[1].partition(b": ")[2]
        assert named in {b"", b"mallory@example.com"}
        if status[0] == b"200" and status[1]:
            assert signed_in
            assert not asks_for_a_url


def test_after_all_that_alice_is_still_answered(here, edge):
    assert 200 == ask(edge, "/search", here.cookie("alice")).status
    assert 200 == fetch(f"{edge.url}/readyz").status


def test_two_people_at_once_never_get_each_other_s_answer(here, edge):
    """Tinyauth CVE-2026-33544 and LemonLDAP CVE-2021-35472: under load one person got the other's session."""
    wrong: list[object] = []

    def visit(name, path, other):
        import http.client  # noqa: PLC0415  a connection of its own for each thread

        with closing(http.client.HTTPConnection(edge.url.removeprefix("http://"), timeout=HANG)) as connection:
            for number in range(50):
                where, expected = ((path, 200), (other, 403))[number % 2]
                connection.request("GET", "/auth/validate", headers=about(f"{where}/{number}", here.cookie(name)))
                answer = connection.getresponse()
                answer.read()
                email = answer.headers["X-User-Email"]
                if (answer.status, email) != (expected, f"{name}@example.com" if expected == 200 else ""):
                    wrong.append((name, where, answer.status, email))

    threads = [
        threading.Thread(target=visit, args=each)
        for each in (("alice", "/search", "/crm"), ("bob", "/crm", "/search")) * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
        assert not thread.is_alive()
    assert [] == wrong
