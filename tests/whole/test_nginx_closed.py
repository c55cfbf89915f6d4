"""What nginx lets nobody do: have a header believed, upgrade to a tunnel, or reach the portal's pages on any host."""

import contextlib
import time

import pytest

from authz.edge.answers import FAMILIES
from tests.credentials.issuer import claims, key_for, published, signed
from tests.installation import Installation
from tests.patience import eventually
from tests.whole.echo import Echo
from tests.whole.test_nginx import CHAT, HANDSHAKE, PORTAL, Gate

pytestmark = pytest.mark.peer("nginx")


class Closed(Gate):
    """One behind which both are applications that tell what reached them."""

    def __init__(self, here, nginx, application, portal):
        super().__init__(lambda **_: here, nginx, application, portal_port=portal.port)
        self.in_place_of_the_portal = portal


NOTHING: dict[str, str] = {}


@pytest.fixture(scope="module")
def gate(shared_portal, shared_nginx):
    """The shipped configuration, for tests that change nothing; the portal's place is taken by an application."""
    with contextlib.ExitStack() as ends:
        here = Installation(shared_portal())
        ends.callback(here.stop)
        application, portal = Echo(), Echo()
        ends.callback(application.stop)
        ends.callback(portal.stop)
        yield Closed(here, shared_nginx, application, portal)


@pytest.fixture(autouse=True)
def nothing_has_come(gate):
    yield
    for each in (gate.echo, gate.in_place_of_the_portal):
        each.forget()


# Headers

OURS = {header for family in FAMILIES.values() for header in family} | {
    "X-User-Groups-Truncated", "X-Auth-Assertion", "X-Auth-Reason", "X-Auth-Expires", "Authz-Revision",
}  # fmt: skip
"""Whatever an answer of the edge may hold, also in a family that is added some day."""
OTHERS = frozenset(
    """
    X-Original-URL X-Original-URI X-Original-Method X-Original-Host X-Rewrite-URL X-Forwarded-Uri X-Forwarded-Prefix
    X-Forwarded-Method X-Forwarded-Port X-Forwarded-Server X-Forwarded-Ssl X-Forwarded-Scheme X-Forwarded-Host
    X-Forwarded-Proto X-Forwarded-For X-HTTP-Method X-HTTP-Method-Override X-Method-Override X-Email X-User
    X-Forwarded-User X-Forwarded-Email X-Forwarded-Groups X-Forwarded-Preferred-Username X-Forwarded-Access-Token
    X-Auth-Request-User X-Auth-Request-Email X-Auth-Request-Groups X-Auth-Request-Preferred-Username
    X-Auth-Request-Access-Token X-Auth-Request-Redirect Remote-User Remote-Email Remote-Name Remote-Groups X-Remote-User
    X-WEBAUTH-USER Forwarded X-Real-IP True-Client-IP CF-Connecting-IP X-Client-IP X-Cluster-Client-IP Fastly-Client-IP
    X-Proxy-Secret HTTP2-Settings Upgrade
    """.split()  # noqa: SIM905  a list of fifty would fill a page
)
VALUE = "carol@example.com"


def test_no_header_that_an_application_may_believe_is_the_clients(gate):
    """Each in the spellings that one server or another takes for the same."""
    alice = gate.here.cookie("alice")
    told = gate.arrived("/search", alice)
    sent = {spell(name): VALUE for name in OURS | OTHERS for spell in (str, underscored, dotted)}
    for path in ("/search", "/ws"):
        found = gate.arrived(path, alice, sent)
        assert not [name for name, value in found.items() if VALUE in value]
        assert told == found, path
    assert ("alice@example.com", "engineering,interns,users") == (told["x-user-email"], told["x-user-groups"])
    assert {"X-User-Email", "X-User-Id", "X-User-Name", "X-User-Groups", "X-User-Groups-Truncated"} == {
        name for name in OURS if name.lower() in told
    }


def underscored(name):
    return name.replace("-", "_")


def dotted(name):
    return name.replace("-", ".")


@pytest.mark.parametrize("name", sorted(OURS | OTHERS))
def test_nor_one_of_them_alone_or_twice_or_hidden(gate, name):
    """Of two lines one might be overwritten and the other stay; Connection would have a header taken away."""
    alice = f"Cookie: {gate.here.cookie('alice')['Cookie']}"
    for lines in ((f"{name}: {VALUE}",) * 2, (f"{name.lower()}: {VALUE}", f"Connection: {name}, close")):
        head = "\r\n".join(("GET /search HTTP/1.1", "Host: chat.example.com", alice, *lines))
        got = gate.raw(f"{head}\r\n\r\n".encode(), until=b'"body": ""}')
        assert got.startswith(b"HTTP/1.1 200"), got
        assert VALUE.encode() not in got
        assert b"alice@example.com" in got


# Upgrades

LOCATIONS = (
    (CHAT, "/search"), (CHAT, "/search/ws"), (CHAT, "/ws"), (CHAT, "/ws/search"), (CHAT, "/ws/../search"),
    (CHAT, "/login"), (CHAT, "/logout"), (CHAT, "/oidc/idp/begin"), (CHAT, "/static/pages/pages.css"),
    (CHAT, "/.well-known/gatehouse/jwks.json"),
    (PORTAL, "/"), (PORTAL, "/ws/search"), (PORTAL, "/login"), (PORTAL, "/admin/"), (PORTAL, "/api/v1/tickets"),
    (PORTAL, "/api/v1/people"),
)  # fmt: skip
SMUGGLING = (
    ("Upgrade: h2c",), ("Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"), ("Upgrade: H2C",),
    ("Upgrade: foo",), ("Upgrade: websocket, h2c",), ("Upgrade: h2c, websocket",), ("Upgrade: websocket/13",),
    ("Upgrade: websocket", "Upgrade: h2c"), ("Upgrade: h2c", "Upgrade: websocket"), ("Upgrade: TLS/1.2",),
)  # fmt: skip
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@pytest.mark.parametrize("lines", SMUGGLING, ids="; ".join)
def test_no_upgrade_but_a_websocket_becomes_a_tunnel(gate, lines):
    """Behind it all are applications that would become anything; none of them hears that it should."""
    for host, path in LOCATIONS:
        for credential in (gate.here.bearer("alice"), NOTHING):
            for websocket in ((), HANDSHAKED):
                said = [f"{name}: {value}" for name, value in (host | credential).items()]
                said += ["Connection: Upgrade, HTTP2-Settings, close", *lines, *websocket]
                got = gate.raw(("\r\n".join((f"GET {path} HTTP/1.1", *said)) + "\r\n\r\n").encode() + PREFACE)
                if b" 101 " in got[:16]:
                    # nginx before 1.23 takes the first of two lines: then it is a WebSocket, and nothing else is asked.
                    assert lines == ("Upgrade: websocket", "Upgrade: h2c"), (path, got)
                    assert websocket
                    assert path.startswith("/ws")
    for behind in (gate.echo, gate.in_place_of_the_portal):
        assert [] == behind.tunnelled
        assert {("websocket",)} >= {tuple(upgrades) for _, upgrades in behind.upgrades}


HANDSHAKED = tuple(
    f"{name}: {HANDSHAKE[name]}" for name in ("Sec-WebSocket-Version", "Sec-WebSocket-Key", "Origin")
)  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [{"Sec-WebSocket-Key": ""}, {"Sec-WebSocket-Key": "short"}, {"Sec-WebSocket-Version": ""},
     {"Sec-WebSocket-Version": "8"}, {"Upgrade": "WebSocket "}],
    ids=str,
)  # fmt: skip
def test_what_is_not_quite_a_handshake_is_none(gate, change):
    for host, path in ((CHAT, "/ws"), (CHAT, "/ws/search"), (PORTAL, "/ws/search")):
        said = host | gate.here.bearer("alice") | HANDSHAKE | change | {"Connection": "Upgrade, close"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
        got = gate.raw(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode(), until=b"@example.com")
        expected = 101 if change == {"Upgrade": "WebSocket "} else 200
        assert got.startswith(f"HTTP/1.1 {expected} ".encode()), (path, got)


@pytest.mark.parametrize("method", ["POST", "PUT", "CONNECT", "OPTIONS"])
def test_a_handshake_is_a_get(gate, method):
    said = CHAT | gate.here.bearer("alice") | HANDSHAKE | {"Connection": "Upgrade, close", "Content-Length": "0"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    got = gate.raw(f"{method} /ws HTTP/1.1\r\n{lines}\r\n".encode())
    assert b" 101 " not in got[:16]
    assert [] == gate.echo.upgrades


# Whose paths are on which host

SIGNING_IN = (
    "/login", "/login?rd=x", "/logout", "/oidc/idp/begin", "/oidc/idp/callback?code=x", "/oidc/idp/signed-out",
    "/oidc/idp/backchannel-logout", "/static/pages/pages.css", "/.well-known/gatehouse/jwks.json", "/ws/search",
    "/ws/rpc",
)  # fmt: skip
ADMINISTERING = (
    "/", "/admin/", "/admin", "/admin/login/", "/admin/authz/user/", "/sessions/1/end", "/connections/end",
    "/connections/x/end", "/healthz", "/readyz", "/livez", "/static/admin/css/base.css", "/static/unfold/x.js",
    "/static/", "/static", "/.well-known/", "/.well-known/gatehouse/", "/.well-known/openid-configuration",
    "/login/", "/logout/x", "/oidc", "/loginx", "/LOGIN",
)  # fmt: skip
PRIVATE = (
    "/auth", "/auth/validate", "/auth/validate/forward", "/auth/validate/envoy/search", "/validate", "/api",
    "/api/v1/users", "/api/v1/groups/check", "/api/check-group", "/scim/v2/Users", "/scim",
)  # fmt: skip


def reached(gate, host, path, *shown):
    """Return who was asked for a path, and the status of the answer."""
    for each in (gate.echo, gate.in_place_of_the_portal):
        each.seen.clear()
    status = gate.get(path, host, *shown).status
    who = [name for name, each in (("chat", gate.echo), ("portal", gate.in_place_of_the_portal)) if each.seen]
    return status, *who


@pytest.mark.parametrize("path", SIGNING_IN)
def test_people_sign_in_on_any_host(gate, path):
    for host in (CHAT, PORTAL):
        assert (200, "portal") == reached(gate, host, path)


@pytest.mark.parametrize("path", ADMINISTERING)
def test_everything_else_of_the_portal_is_on_its_own_host(gate, path):
    """A script of an application could use it there in the name of whoever has it open."""
    assert (401,) == reached(gate, CHAT, path)
    for name in ("alice", "carol"):
        assert (403,) == reached(gate, CHAT, path, gate.here.cookie(name))
    assert (200, "portal") == reached(gate, PORTAL, path)


@pytest.mark.parametrize("path", PRIVATE)
def test_what_services_and_proxies_ask_is_on_no_public_host(gate, path):
    for shown in (NOTHING, gate.here.cookie("carol"), gate.here.bearer("carol")):
        assert (404,) == reached(gate, PORTAL, path, shown)
        assert reached(gate, CHAT, path, shown) in {(401,), (403,)}
    assert (200, "portal") == reached(gate, PORTAL, "/api/v1/tickets")


def test_many_sign_ins_at_once_from_one_address_wait(gate):
    statuses = [gate.get("/login", PORTAL, method="POST", body=b"").status for _ in range(40)]
    assert 200 == statuses[0]
    assert 429 in statuses
    assert 200 == gate.get("/login", PORTAL).status


def test_a_token_of_32_000_characters_passes_and_a_header_that_is_longer_is_refused(gate):
    assert 401 == gate.get("/search", {"Authorization": f"Bearer ghk_{'x' * 32_000}"}).status
    assert 400 == gate.get("/search", {"Authorization": f"Bearer {'x' * 42_000}"}).status
    told = gate.arrived("/search", gate.here.cookie("alice"), {"Authorization": f"Bearer {'x' * 32_000}"})
    assert f"Bearer {'x' * 32_000}" == told["authorization"]

    gate.here.do("trust_issuer", published(key_for("ES256")))
    now = int(time.time())
    token = signed(claims(iat=now, exp=now + 300, padding="x" * 23_600))
    assert 31_500 < len(token) < 32_768
    eventually(lambda: gate.get("/search", {"Authorization": f"Bearer {token}"}).status, 200)
