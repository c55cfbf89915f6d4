"""What a proxy in front of an application must do and must not do: one table for all of them."""

import json
import posixpath
from collections.abc import Callable
from urllib.parse import unquote

from authz.edge.answers import FAMILIES
from tests.whole.proxies.front import CHAT_SECRET, Front

Check = Callable[[Front], None]

PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
VALUE = "carol@example.com"
CHOSEN = ("X-User-Email", "X-User-Id", "X-User-Name", "X-User-Groups", "X-User-Groups-Truncated")
IDENTITY = tuple(dict.fromkeys((*CHOSEN, *(name for family in FAMILIES.values() for name in family),
    "X-Auth-Assertion", "X-Auth-Reason", "X-Auth-Expires", "Authz-Revision", "X-Auth-Request-Access-Token",
    "X-Auth-Request-Redirect", "X-Email", "X-User", "X-Remote-User", "X-WEBAUTH-USER", "X-Forwarded-User",
    "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Preferred-Username", "X-Forwarded-Access-Token",
)))  # fmt: skip
WHENCE = (
    "X-Real-IP", "X-Forwarded-For", "Forwarded", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP",
    "X-Cluster-Client-IP", "Fastly-Client-IP",
)  # fmt: skip
WHAT = (
    "X-Original-URL", "X-Original-URI", "X-Original-Method", "X-Original-Host", "X-Rewrite-URL", "X-Forwarded-Uri",
    "X-Forwarded-Prefix", "X-Forwarded-Method", "X-Forwarded-Port", "X-Forwarded-Server", "X-Forwarded-Ssl",
    "X-Forwarded-Scheme", "X-Forwarded-Host", "X-Forwarded-Proto", "X-HTTP-Method", "X-HTTP-Method-Override",
    "X-Method-Override", "X-Proxy-Secret", "HTTP2-Settings",
)  # fmt: skip
HANDSHAKE = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}  # fmt: skip
UPGRADES = (
    ("Upgrade: h2c",), ("Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"), ("Upgrade: foo",),
    ("Upgrade: websocket, h2c",), ("Upgrade: h2c, websocket",), ("Upgrade: websocket", "Upgrade: h2c"),
    ("Upgrade: h2c", "Upgrade: websocket"),
)  # fmt: skip


def said(*shown: dict[str, str], host: str = "chat.example.com") -> list[str]:
    """Return header lines."""
    headers = {"Host": host}
    for each in shown:
        headers |= each
    return [f"{name}: {value}" for name, value in headers.items()]


def whoever_may_passes_as_themselves(front: Front) -> None:
    for shown in (front.here.bearer("alice"), {"X-API-Key": front.here.keys["alice"]}, front.here.cookie("alice")):
        told = front.arrived("/search/x?q=1", shown)
        assert ("alice@example.com", "engineering,interns,users", "0") == (
            told["x-user-email"], told["x-user-groups"], told["x-user-groups-truncated"],
        )  # fmt: skip
        assert CHAT_SECRET == told["x-proxy-secret"]


def whoever_may_not_is_told_why(front: Front) -> None:
    denied = front.get("/search", front.here.bearer("mallory"))
    assert (403, "no-grant") == (denied.status, denied.headers["x-auth-reason"])
    assert 403 == front.get("/crm", front.here.cookie("alice")).status
    assert 403 == front.get("/nowhere", front.here.cookie("alice")).status
    for unusual in ("close, x", "X-User-Email, close"):
        lines = said(front.here.bearer("mallory"), {"Connection": unusual})
        assert front.raw("GET /search HTTP/1.1", *lines).startswith(b"HTTP/1.1 403")


def a_stranger_with_a_script_is_told_and_not_led_away(front: Front) -> None:
    for shown in ({}, {"Accept": "application/json"}, PAGE | {"X-Requested-With": "XMLHttpRequest"}):
        refused = front.get("/search", shown)
        assert (401, "sign-in") == (refused.status, refused.headers["x-auth-reason"])
    offered = front.get("/search", {"Authorization": "Bearer ghk_x"})
    assert (401, 'Bearer realm="gatehouse", error="invalid_token"') == (
        offered.status, offered.headers["www-authenticate"],
    )  # fmt: skip


def a_stranger_with_a_page_is_led_to_the_login(front: Front) -> None:
    led = front.get("/search/x?q=1", PAGE)
    assert 302 == led.status
    assert led.headers["location"].startswith("http://portal.example.com/login?rd=")


def no_identity_is_the_clients(front: Front) -> None:
    alice = front.here.cookie("alice")
    for name in IDENTITY:
        told = front.arrived("/search", alice, {name: VALUE})
        assert "alice@example.com" == told["x-user-email"]
        assert VALUE not in told.values(), name
    lines = [f"{name}: {VALUE}" for name in IDENTITY for _ in range(2)]
    got = front.raw("GET /search HTTP/1.1", *said(alice, {"Connection": "close"}), *lines)
    assert VALUE.encode() not in got
    assert b"alice@example.com" in got


def nor_under_a_name_that_looks_the_same(front: Front) -> None:
    for name in CHOSEN:
        for other in (name.replace("-", "_"), name.replace("-", "."), name.replace("-", "_", 1), name.upper()):
            reply = front.get("/search", front.here.cookie("alice"), {other: VALUE})
            assert reply.status in {200, 400, 403}
            assert VALUE.encode() not in reply.body, other


def nobody_has_their_identity_taken_away(front: Front) -> None:
    """RFC 9110 §7.6.1: what Connection names is for one hop."""
    for named in ("X-User-Email, X-User-Groups", "close, X-User-Email, X-Proxy-Secret, X-Forwarded-For"):
        told = front.arrived("/search", front.here.cookie("alice"), {"Connection": named})
        assert ("alice@example.com", CHAT_SECRET) == (told["x-user-email"], told["x-proxy-secret"])


def a_body_in_chunks_arrives(front: Front) -> None:
    lines = said(front.here.bearer("alice"), {"Transfer-Encoding": "chunked"})
    got = front.raw("POST /search HTTP/1.1", *lines, after=b"5\r\nhello\r\n0\r\n\r\n", until=b'"body": "hello"}')
    assert got.startswith(b"HTTP/1.1 200"), got
    reply = front.get("/search", front.here.bearer("alice"), method="POST", body=b"x" * 100_000)
    assert (200, "x" * 100_000) == (reply.status, json.loads(reply.body)["body"])


def nothing_but_a_websocket_becomes_a_tunnel(front: Front) -> None:
    for path in ("/search", "/ws"):
        for upgrade in UPGRADES:
            for shown in (front.here.bearer("alice"), {}):
                lines = said(shown, {"Connection": "Upgrade, HTTP2-Settings, close"})
                got = front.raw(f"GET {path} HTTP/1.1", *lines, *upgrade, after=b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
                assert b" 101 " not in got[:16], (path, upgrade)
    assert [] == front.application.upgrades
    assert [] == front.application.tunnelled


def a_websocket_is_carried_for_pages_of_its_host(front: Front) -> None:
    def shaken(*shown: dict[str, str], until: bytes = b"\r\n\r\n") -> bytes:
        return front.raw("GET /ws HTTP/1.1", *said(HANDSHAKE, *shown), until=until)

    alice, own = front.here.cookie("alice"), {"Origin": "http://chat.example.com"}
    opened = shaken(alice, own, until=b"@example.com")
    assert opened.startswith(b"HTTP/1.1 101"), opened
    assert opened.endswith(b"alice@example.com")
    assert shaken(own).startswith(b"HTTP/1.1 401")
    assert shaken(own, {"Accept": "text/html"}).startswith(b"HTTP/1.1 401")
    assert shaken(front.here.cookie("mallory"), own).startswith(b"HTTP/1.1 403")
    for origin in ("https://evil.example.org", "http://chat.example.com:81", "null"):
        strange = shaken(alice, {"Origin": origin})
        assert strange.startswith(b"HTTP/1.1 403"), (origin, strange)
        assert b"x-auth-reason: origin" in strange.lower()
        assert shaken(front.here.bearer("alice"), {"Origin": origin}).startswith(b"HTTP/1.1 101")
    assert {("/ws", "websocket")} == {(path, *(each.lower() for each in sent)) for path, sent in
    front.application.upgrades}  # fmt: skip


def where_somebody_comes_from_is_the_proxys_word(front: Front) -> None:
    alice = front.here.cookie("alice")
    for name in WHENCE:
        told = front.arrived("/search", alice, {name: "198.51.100.7"})
        assert not [value for value in told.values() if "198.51.100.7" in value], name
        assert "127.0.0.1" == told["x-forwarded-for"]


def what_is_asked_is_the_request_line(front: Front) -> None:
    for name in WHAT:
        told = front.arrived("/search", front.here.cookie("alice"), {name: "/crm"})
        assert "/crm" not in told.values(), name
        assert front.get("/crm", front.here.cookie("alice"), {name: "/search"}).status in {400, 403}, name


def a_path_is_served_as_it_is_judged(front: Front) -> None:
    key = {"Authorization": f"Bearer {front.here.keys['alice']}", "Connection": "close"}
    for path in (
        "/search/..%2fcrm", "/search/../crm", "/search/%2e%2e/crm", "//crm", "/search//../crm", "/search;/../crm",
        "/search;x", "/search/%00/../crm", "/search\\..\\crm", "/%63rm", "/crm#/search", "/crm?/search", "/CRM",
        "http://chat.example.com/crm", "/search/%2e%2e%2fcrm", "/search%2f..%2fcrm", "/search/.%2e/crm",
    ):  # fmt: skip
        front.application.seen.clear()
        got = front.raw(f"GET {path} HTTP/1.1", *said(key))
        served = [seen for _, seen in front.application.seen]
        assert not [each for each in served if not _within_search(each)], (path, served, got)
        assert not got.startswith(b"HTTP/1.1 200") or served, path


def _within_search(path: str) -> bool:
    """Return whether the most obliging application would take a path for one of the server that Alice may use."""
    meant = posixpath.normpath(unquote(path.partition("?")[0].partition("#")[0].partition(";")[0]).replace("\\", "/"))
    return meant == "/search" or meant.startswith("/search/")


def a_host_that_is_not_named_is_nobodys(front: Front) -> None:
    key = {"Authorization": f"Bearer {front.here.keys['alice']}", "Connection": "close"}
    for host in ("mcp.example.com", "elsewhere.example.com", "127.0.0.1", "chat.example.com.evil.example.org"):
        front.raw("GET /search HTTP/1.1", *said(key, host=host))
        assert [] == front.application.seen
        # The request line says whose it is (RFC 9112 §3.2.2); then the application must be told the same.
        named = front.raw("GET http://chat.example.com/search HTTP/1.1", *said(key, host=host)).decode()
        assert not named.startswith("HTTP/1.1 200") or '["Host", "chat.example.com"]' in named, named
        front.application.seen.clear()
    for hosts in (("chat.example.com", "mcp.example.com"), ("mcp.example.com", "chat.example.com")):
        lines = [f"Host: {host}" for host in hosts]
        told = front.raw("GET /search HTTP/1.1", *lines, f"Authorization: {key['Authorization']}", "Connection: close")
        assert not told.startswith(b"HTTP/1.1 200")
    assert [] == front.application.seen


def a_tool_that_comes_twice_is_refused_or_served_as_judged(front: Front) -> None:
    key = {"Authorization": f"Bearer {front.here.keys['alice']}", "Content-Length": "0", "Connection": "close"}
    call = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call"}
    assert 200 == front.get("/jira", key, call, {"Mcp-Name": "get_issue"}, method="POST").status
    assert 403 == front.get("/jira", key, call, {"Mcp-Name": "create_issue"}, method="POST").status
    for names in (("get_issue", "create_issue"), ("create_issue", "get_issue")):
        got = front.raw("POST /jira HTTP/1.1", *said(key, call), *(f"Mcp-Name: {name}" for name in names)).decode()
        assert not got.startswith("HTTP/1.1 200") or "create_issue" not in got, got


def the_session_cookie_is_not_the_applications(front: Front) -> None:
    alice = front.here.sessions["alice"]
    for cookie in (f"gatehouse={alice}", f"gatehouse={alice}; theirs=1", f"a=1; gatehouse={alice}; theirs=1"):
        told = front.arrived("/search", {"Cookie": cookie})
        assert not [value for value in told.values() if alice in value], cookie
        assert told.get("cookie", "") == "; ".join(part for part in cookie.split("; ") if "gatehouse" not in part)
    for name in ("gatehouse", "__Host-gatehouse", "__Secure-gatehouse"):
        told = front.arrived("/search", front.here.bearer("alice"), {"Cookie": f"{name}=planted; theirs=1"})
        assert "theirs=1" == told["cookie"]


def our_keys_are_not_the_applications(front: Front) -> None:
    alice = front.here.keys["alice"]
    for shown in (front.here.bearer("alice"), {"Authorization": f"bearer {alice}"}, {"X-API-Key": alice}):
        told = front.arrived("/search", shown)
        assert not [value for value in told.values() if alice in value]
    theirs = front.arrived("/search", front.here.cookie("alice"), {"Authorization": "Bearer theirs"})
    assert "Bearer theirs" == theirs["authorization"]
    theirs = front.arrived("/search", front.here.bearer("alice"), {"Cookie": "theirs=1"})
    assert "theirs=1" == theirs["cookie"]


def the_portal_has_its_own_host(front: Front) -> None:
    portal = {"Host": "portal.example.com"}
    for path in ("/login", "/admin/", "/", "/api/v1/tickets"):
        reply = front.get(path, portal, {"X-Real-IP": "198.51.100.7", "X-Forwarded-For": "198.51.100.7"})
        assert 200 == reply.status, path
        told = {name.lower(): value for name, value in json.loads(reply.body)["headers"]}
        assert "127.0.0.1" == told["x-forwarded-for"]
        assert "127.0.0.1" == told.get("x-real-ip", "127.0.0.1")
    front.behind.portal.seen.clear()
    for path in ("/api/v1/users", "/scim/v2/Users", "/auth/validate", "/auth", "/validate", "/api", "/%61pi/v1/users",
                 "/a%70i", "/%73cim/v2/Users?x=/api/v1/tickets", "/auth?/api/v1/tickets"):  # fmt: skip
        assert 404 == front.get(path, portal).status, path
    assert [] == front.behind.portal.seen
    assert front.get("/admin/", front.here.cookie("carol")).status == 403


def an_edge_that_hangs_lets_nobody_through(front: Front) -> None:
    front.behind.cable.hold()
    try:
        reply = front.get("/search", front.here.cookie("alice"))
    finally:
        front.behind.cable.release()
    assert reply.status in {403, 500, 502, 503, 504}
    assert [] == front.application.seen


def an_edge_that_is_down_lets_nobody_through(front: Front) -> None:
    """The last check: the edge does not come back."""
    front.behind.cable.stop()
    for shown in (front.here.cookie("alice"), front.here.bearer("alice"), {}, PAGE):
        assert front.get("/search", shown).status in {403, 500, 502, 503, 504}
    assert [] == front.application.seen


CHECKS: tuple[Check, ...] = (
    whoever_may_passes_as_themselves,
    whoever_may_not_is_told_why,
    a_stranger_with_a_script_is_told_and_not_led_away,
    a_stranger_with_a_page_is_led_to_the_login,
    no_identity_is_the_clients,
    nor_under_a_name_that_looks_the_same,
    nobody_has_their_identity_taken_away,
    a_body_in_chunks_arrives,
    nothing_but_a_websocket_becomes_a_tunnel,
    a_websocket_is_carried_for_pages_of_its_host,
    where_somebody_comes_from_is_the_proxys_word,
    what_is_asked_is_the_request_line,
    a_path_is_served_as_it_is_judged,
    a_host_that_is_not_named_is_nobodys,
    a_tool_that_comes_twice_is_refused_or_served_as_judged,
    the_session_cookie_is_not_the_applications,
    our_keys_are_not_the_applications,
    the_portal_has_its_own_host,
    an_edge_that_hangs_lets_nobody_through,
    an_edge_that_is_down_lets_nobody_through,
)


def passes(front: Front, check: Check) -> None:
    """Run a check, and leave nothing of it behind; one that the proxy cannot pass must fail, or its recipe is wrong."""
    try:
        if check.__name__ not in front.cannot:
            check(front)
            return
        try:
            check(front)
        except AssertionError:
            return
        message = f"{check.__name__} passes: the recipe may say so"
        raise AssertionError(message)
    finally:
        front.application.forget()
        front.behind.portal.forget()
        front.behind.cable.hang_up()
