"""The shipped nginx configuration, before a real edge, a real portal, and an application that tells what it got."""

import json
import re
import socket
import urllib.parse
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.acts import PASSWORD, SECRET
from tests.installation import Installation, fetch
from tests.patience import HANG
from tests.whole.echo import Echo

pytestmark = pytest.mark.peer("nginx")
CONFIGURATION = Path(__file__).resolve().parents[2] / "docker" / "nginx.conf"
PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
CHAT, PORTAL = {"Host": "chat.example.com"}, {"Host": "portal.example.com"}


class Gate:
    """nginx with everything behind it."""

    def __init__(self, install, nginx, echo, *, portal_port=0, **more):
        # What nginx does is the same whatever the database is.
        env = {
            "PORTAL_URL": "http://portal.example.com", "AUTHZ_COOKIE_DOMAIN": "example.com",
            "ALLOWED_HOSTS": "portal.example.com,chat.example.com,127.0.0.1",
        }  # fmt: skip
        self.here = install(database="sqlite", env=env)
        self.edge = self.here.edge(env=env)
        self.portal = self.here.portal.serve("serve", "--no-sequencer", "--port", "{port}", ready="/livez", env=env)
        self.echo = echo
        portal = f"127.0.0.1:{portal_port}" if portal_port else self.portal.url.removeprefix("http://")
        self.url = nginx(more.pop("text", CONFIGURATION.read_text()), replace={
            "listen 80;": "listen 127.0.0.1:@PORT@;",
            "portal:8000": portal,
            "edge:8001": self.edge.url.removeprefix("http://"),
            "chat:8000": f"127.0.0.1:{echo.port}",
            "CHANGE-ME-proxy-secret": SECRET,
            "CHANGE-ME-chat-secret": "what the application is shown",
        } | more)  # fmt: skip

    def get(self, path, *shown, method="GET", body=None):
        headers = dict(CHAT)
        for each in shown:
            headers |= each
        return fetch(self.url + path, method=method, body=body, headers=headers)

    def arrived(self, path, *shown):
        """Return the headers that the application was sent."""
        reply = self.get(path, *shown)
        assert 200 == reply.status, reply
        return {name.lower(): value for name, value in json.loads(reply.body)["headers"]}

    def raw(self, sent: bytes, *, until: bytes = b"") -> bytes:
        """Return what comes back for some bytes: up to some others, or until nginx hangs up."""
        with closing(socket.create_connection(("127.0.0.1", int(self.url.rpartition(":")[2])), timeout=HANG)) as wire:
            wire.sendall(sent)
            got = b""
            while (not until or until not in got) and (piece := wire.recv(65536)):
                got += piece
            return got


def shared(portal, nginx):
    """Yield one for a fixture that the tests of a file share."""
    with ExitStack() as ends:

        def install(**how):
            here = Installation(portal(**how))
            ends.callback(here.stop)
            return here

        echo = Echo()
        ends.callback(echo.stop)
        yield Gate(install, nginx, echo)


@pytest.fixture(scope="module")
def gate(shared_portal, shared_nginx):
    yield from shared(shared_portal, shared_nginx)


@pytest.fixture(autouse=True)
def nothing_has_come(gate):
    yield
    gate.echo.forget()


IDENTITY = (
    "X-User-Email", "X-User-Id", "X-User-Name", "X-User-Groups", "X-User-Groups-Truncated", "X-Auth-Assertion",
    "Remote-User",
    "Remote-Email", "Remote-Name", "Remote-Groups", "X-Auth-Request-User", "X-Auth-Request-Email",
    "X-Auth-Request-Groups",
    "X-Auth-Request-Preferred-Username",
)  # fmt: skip


def test_a_request_through_the_gate(gate):
    """Who may pass passes as themselves, and nobody can pass as somebody else."""
    here = gate.here
    found = gate.arrived("/search/x?q=1", here.cookie("alice"))
    assert ("alice@example.com", "engineering,interns,users", "0") == (
        found["x-user-email"], found["x-user-groups"], found["x-user-groups-truncated"],
    )  # fmt: skip
    assert "what the application is shown" == found["x-proxy-secret"]
    assert "127.0.0.1" == found["x-real-ip"]

    for name in IDENTITY:
        for variant in (name, name.lower(), name.replace("-", "_"), name.replace("-", ".")):
            spoofed = gate.arrived("/search", here.cookie("alice"), {variant: "carol@example.com"})
            assert "carol@example.com" not in spoofed.values(), variant
    hidden = gate.arrived("/search", here.cookie("alice"), {"Connection": "X-User-Email, X-User-Groups"})
    assert "alice@example.com" == hidden["x-user-email"]

    for shown in (here.cookie("alice"), here.bearer("alice"), {"X-API-Key": here.keys["alice"]}):
        sent = gate.arrived("/search", shown)
        assert not any(
            secret in value for value in sent.values() for secret in (here.keys["alice"], here.sessions["alice"])
        )
    both = {"Cookie": f"theirs=1; gatehouse={here.sessions['alice']}; other=2"}
    assert {"theirs=1", "other=2"} == set(gate.arrived("/search", both)["cookie"].split("; "))

    for path, name, expected in (
        ("/search", "mallory", 403), ("/crm", "alice", 403), ("/crm", "bob", 200), ("/nowhere", "alice", 403),
        ("/search/../crm", "alice", 403), ("/search/%2e%2e/crm", "alice", 403), ("//search", "alice", 403),
        ("/search;x", "alice", 403), ("/%73earch", "alice", 403),
    ):  # fmt: skip
        assert expected == gate.get(path, here.cookie(name)).status, (path, name)
    assert 401 == gate.get("/search").status
    assert "sign-in" == gate.get("/search").headers["x-auth-reason"]
    assert "no-grant" == gate.get("/search", here.cookie("mallory")).headers["x-auth-reason"]
    for more in ({"X-Original-URI": "/search"}, {"X-Original-URL": "http://chat.example.com/search"},
                 {"X-Forwarded-Uri": "/search"}, {"X-Proxy-Secret": SECRET},
                 {"X-Forwarded-Proto": "http://a/search?"}):  # fmt: skip
        assert gate.get("/crm", here.cookie("alice"), more).status in {401, 403}
        assert gate.get("/search", more).status in {401, 403}


def test_a_request_line_and_a_host_that_disagree_reach_nobody(gate):
    """The path that is judged and the path that is served must be one, however a client spells the request."""
    session = gate.here.cookie("alice")["Cookie"]
    gate.echo.seen.clear()
    for line, host in (
        ("GET http://chat.example.com/crm HTTP/1.1", "mcp.example.com"),
        ("GET http://mcp.example.com/crm HTTP/1.1", "chat.example.com"),
        ("GET /crm HTTP/1.1", "chat.example.com/search?"),
        ("GET /crm HTTP/1.1", "chat.example.com?/search"),
        ("GET /crm HTTP/1.1", "mcp.example.com/search#"),
        ("GET /crm HTTP/1.1", "alice@chat.example.com"),
        ("GET /crm#/search HTTP/1.1", "chat.example.com"),
        ("GET /crm?/search HTTP/1.1", "chat.example.com"),
        ("GET /search/..%2fcrm HTTP/1.1", "chat.example.com"),
        ("GET /search\\..\\crm HTTP/1.1", "chat.example.com"),
        ("GET /search/%00/../crm HTTP/1.1", "chat.example.com"),
        ("GET /crm HTTP/1.0", "chat.example.com"),
        ("OPTIONS * HTTP/1.1", "chat.example.com"),
    ):
        got = gate.raw(f"{line}\r\nHost: {host}\r\nCookie: {session}\r\nConnection: close\r\n\r\n".encode())
        assert not got.startswith(b"HTTP/1.1 200"), line
        twice = gate.raw(f"{line}\r\nHost: {host}\r\nHost: mcp.example.com\r\nCookie: {session}\r\n\r\n".encode())
        assert b" 200 " not in twice[:16]
    assert [] == gate.echo.seen


def test_a_page_is_led_to_the_login_and_back(gate):
    asked = gate.get("/search/room?a=1", PAGE)
    assert 302 == asked.status
    where = asked.headers["location"]
    assert where.startswith("http://portal.example.com/login?rd=")
    path = where.removeprefix("http://portal.example.com")
    form = gate.get(path, PORTAL, PAGE)
    assert 200 == form.status
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form.body.decode()))
    filled = urllib.parse.urlencode(hidden | {"email": "alice@example.com", "password": PASSWORD}).encode()
    csrf = form.headers["set-cookie"].partition(";")[0]
    more = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "http://portal.example.com", "Cookie": csrf}
    begun = gate.get("/login", PORTAL, more, method="POST", body=filled)
    assert (302, "http://chat.example.com/search/room?a=1") == (begun.status, begun.headers["location"])
    cookie = re.search(r"gatehouse=[^;]+", begun.headers["set-cookie"])
    assert cookie
    assert "alice@example.com" == gate.arrived("/search/room?a=1", {"Cookie": cookie[0]})["x-user-email"]

    assert 401 == gate.get("/search", {"Accept": "application/json"}).status
    assert 401 == gate.get("/search", PAGE, {"Sec-Fetch-Mode": "cors"}).status
    assert 404 == gate.get("/auth/validate", PORTAL, gate.here.cookie("alice")).status


HANDSHAKE = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": "http://chat.example.com", "Accept": "text/html",
}  # fmt: skip


def test_a_websocket_is_judged_at_its_handshake(gate):
    def shaken(*shown, until=b"\r\n\r\n"):
        said = CHAT | HANDSHAKE
        for each in shown:
            said |= each
        lines = "".join(f"{name}: {value}\r\n" for name, value in said.items() if value)
        return gate.raw(f"GET /ws HTTP/1.1\r\n{lines}\r\n".encode(), until=until)

    got = shaken(gate.here.cookie("alice"), until=b"@example.com")
    assert got.startswith(b"HTTP/1.1 101")
    assert got.endswith(b"alice@example.com")
    assert shaken().startswith(b"HTTP/1.1 401")
    assert shaken(gate.here.cookie("mallory")).startswith(b"HTTP/1.1 403")

    # By the page that asks for it, where what is shown is a cookie.
    for origin in ("https://evil.example.org", "http://chat.example.com:8080", "https://chat.example.com", "null"):
        refused = shaken(gate.here.cookie("alice"), {"Origin": origin})
        assert refused.startswith(b"HTTP/1.1 403"), origin
        assert b"X-Auth-Reason: origin\r\n" in refused
        assert shaken(gate.here.bearer("alice"), {"Origin": origin}).startswith(b"HTTP/1.1 101")
    for origin in ("", "http://CHAT.example.com:80", "http://portal.example.com"):
        assert shaken(gate.here.cookie("alice"), {"Origin": origin}).startswith(b"HTTP/1.1 101"), origin
    assert [("/ws", ["websocket"])] * 8 == gate.echo.upgrades
    assert [] == gate.echo.tunnelled
    assert 200 == gate.get("/search", gate.here.cookie("alice")).status


def test_a_tool_is_judged_by_its_headers(gate):
    def called(name, *, version="2026-07-28", method="tools/call"):
        said = {"MCP-Protocol-Version": version, "Mcp-Method": method, "Mcp-Name": name}
        return gate.get("/jira", gate.here.cookie("alice"), said, method="POST", body=b"{}").status

    assert (200, 403) == (called("get_issue"), called("create_issue"))
    assert (403, 200) == (called("get_issue", version="2025-11-25"), called("", method="tools/list"))
    assert 403 == gate.get("/jira", gate.here.cookie("alice")).status


def test_with_the_edge_or_the_portal_down_the_gate_stays_shut(install, nginx, echo):
    gate = Gate(install, nginx, echo)
    here = gate.here
    gate.portal.stop()
    assert 200 == gate.get("/search", here.cookie("alice")).status
    assert 502 == gate.get("/login", PORTAL).status
    gate.edge.stop(kill=True)
    gate.echo.seen.clear()
    for shown in (here.cookie("alice"), here.bearer("alice"), {}, PAGE):
        assert gate.get("/search", shown).status >= 500
    assert [] == gate.echo.seen
