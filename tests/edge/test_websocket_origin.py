"""A browser's WebSocket is judged by the page that asks for it, and no other upgrade is let through."""

import pytest

from authz.decisions import facts as f
from authz.edge import recording
from authz.lookups.current import current_world
from tests.edge.test_repeated import recorded
from tests.people import (
    ALICE,
    MALLORY,
    SEARCH,
    SEARCH_URL,
    SECRET,
    SERVERS,
    ask,
    bearer,
    cookie,
    judged,
    key_of,
    live_in,
    nginx,
    reason,
    request,
    world,
)
from tests.wire import Wire, lines

pytestmark = pytest.mark.usefixtures("house")

HANDSHAKE = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13", "Upgrade": "websocket"}
OWN = {"Origin": "https://mcp.example.com"}
STRANGE = {"Origin": "https://evil.example.org"}
AS_NGINX_TOLD = {"X-Real-IP": "192.0.2.1"}


@pytest.fixture(autouse=True)
def registered(settings):
    """One origin beside the portal's own."""
    settings.PORTAL_URL = "https://portal.example.com"
    settings.AUTHZ_SOCKET_ORIGINS = ["https://Chat.example.com", "app://desktop"]


@pytest.mark.parametrize(
    ("url", "origin", "expected"),
    [
        (SEARCH_URL, "https://mcp.example.com", 200),
        (SEARCH_URL, "https://MCP.example.com", 200),
        (SEARCH_URL, "https://mcp.example.com:443", 200),
        ("https://mcp.example.com:443/search", "https://mcp.example.com", 200),
        ("wss://mcp.example.com/search", "https://mcp.example.com", 200),
        ("ws://mcp.example.com/search", "http://mcp.example.com", 200),
        ("http://mcp.example.com:8080/search", "http://mcp.example.com:8080", 200),
        # Registered, or the portal's own.
        (SEARCH_URL, "https://chat.example.com", 200),
        (SEARCH_URL, "https://portal.example.com", 200),
        (SEARCH_URL, "app://desktop", 200),
        # Another port is another origin, and so is the other scheme's.
        (SEARCH_URL, "https://mcp.example.com:8443", 403),
        (SEARCH_URL, "http://mcp.example.com", 403),
        (SEARCH_URL, "http://mcp.example.com:443", 403),
        ("http://mcp.example.com:443/search", "https://mcp.example.com", 403),
        ("http://mcp.example.com/search", "https://mcp.example.com", 403),
        ("http://mcp.example.com:8080/search", "http://mcp.example.com", 403),
        ("http://mcp.example.com:8080/search", "http://mcp.example.com:8081", 403),
        (SEARCH_URL, "https://chat.example.com:8443", 403),
        # Another host.
        (SEARCH_URL, "https://evil.example.org", 403),
        (SEARCH_URL, "https://example.com", 403),
        (SEARCH_URL, "https://mcp.example.com.evil.example.org", 403),
        (SEARCH_URL, "https://evil-mcp.example.com", 403),
        (SEARCH_URL, "https://xmcp.example.com", 403),
        # No origin of a page.
        (SEARCH_URL, "null", 403),
        (SEARCH_URL, "", 403),
        (SEARCH_URL, "*", 403),
        (SEARCH_URL, "mcp.example.com", 403),
        (SEARCH_URL, "//mcp.example.com", 403),
        (SEARCH_URL, "https://", 403),
        (SEARCH_URL, "https:///", 403),
        (SEARCH_URL, "https://mcp.example.com/", 403),
        (SEARCH_URL, "https://mcp.example.com/search", 403),
        (SEARCH_URL, "https://mcp.example.com?", 403),
        (SEARCH_URL, "https://mcp.example.com#", 403),
        (SEARCH_URL, "https://alice@mcp.example.com", 403),
        (SEARCH_URL, "https://mcp.example.com:", 403),
        (SEARCH_URL, "https://mcp.example.com:0", 403),
        (SEARCH_URL, "https://mcp.example.com:443:443", 403),
        (SEARCH_URL, "https://mcp.example.com:99999", 403),
        (SEARCH_URL, "https://mcp.example.com https://evil.example.org", 403),
        (SEARCH_URL, "https://evil.example.org, https://mcp.example.com", 403),
        (SEARCH_URL, "https://mcp.example.com, https://mcp.example.com", 403),
        (SEARCH_URL, "wss://mcp.example.com", 403),
        (SEARCH_URL, "ftp://mcp.example.com", 403),
        (SEARCH_URL, "file://", 403),
        (SEARCH_URL, "chrome-extension://abcdefgh", 403),
        (SEARCH_URL, "https://mcp..example.com", 403),
        (SEARCH_URL, "https://[::1]", 403),
        (SEARCH_URL, "https://[::1", 403),
        (SEARCH_URL, "https://mcp.ex\xe4mple.com", 403),
    ],
)
def test_the_page_is_of_the_host_and_port_that_are_asked_for_or_registered(url, origin, expected):
    for marks in (HANDSHAKE, *({name: value} for name, value in HANDSHAKE.items())):
        answer = ask(url, cookie(ALICE), marks, {"Origin": origin})
        assert (expected, "" if expected == 200 else "origin") == (answer.status, reason(answer)), marks


def test_a_program_names_no_origin_and_a_page_cannot_do_without():
    assert 200 == ask(SEARCH_URL, cookie(ALICE), HANDSHAKE).status


def test_an_origin_that_comes_twice_is_refused():
    for pair in (("https://mcp.example.com",) * 2, ("https://evil.example.org", "https://mcp.example.com")):
        asked = [*nginx(SEARCH_URL, cookie(ALICE), HANDSHAKE).items(), *(("Origin", each) for each in pair)]
        assert 403 == judged(request(asked)).status


def test_whoever_shows_something_that_no_page_can_send_may_come_from_anywhere():
    for shown in (bearer(key_of(ALICE)), {"X-API-Key": key_of(ALICE)}, cookie(MALLORY) | bearer(key_of(ALICE))):
        assert 200 == ask(SEARCH_URL, shown, HANDSHAKE, STRANGE).status, shown


def test_a_request_that_is_no_handshake_is_not_judged_by_its_page():
    """Scripts of other pages are kept away by CORS, which is the application's."""
    assert 200 == ask(SEARCH_URL, cookie(ALICE), STRANGE).status
    assert 200 == ask(SEARCH_URL, cookie(ALICE), STRANGE, {"Sec-Fetch-Mode": "cors"}).status


def test_the_credential_and_the_grant_are_judged_first():
    for shown, expected in (({}, (401, "sign-in")), ({"Cookie": "gatehouse=x"}, (401, "bad-credential")),
                            (cookie(MALLORY), (403, "no-grant")), (cookie(ALICE), (403, "origin"))):  # fmt: skip
        answer = ask(SEARCH_URL, shown, HANDSHAKE, STRANGE)
        assert expected == (answer.status, reason(answer))
    unknown = ask("https://unknown.example.com/", cookie(ALICE), HANDSHAKE, STRANGE)
    assert (403, "unknown-url") == (unknown.status, reason(unknown))


def test_a_handshake_is_never_led_to_a_login_page():
    """Some proxies drop Upgrade, and some programs say that they take HTML."""
    asked = {"X-Forwarded-Method": "GET", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "mcp.example.com",
             "X-Forwarded-Uri": "/search", "X-Proxy-Secret": SECRET, "Accept": "text/html"}  # fmt: skip
    for mark, value in HANDSHAKE.items():
        assert 401 == judged(request(asked | {mark: value}, target="/auth/validate/forward")).status
    assert 302 == judged(request(asked, target="/auth/validate/forward")).status


def test_who_is_asked_of_no_url_has_only_the_registered_pages():
    for origin, expected in (("https://chat.example.com", 200), ("https://mcp.example.com", 403), ("://", 403)):
        assert expected == ask(None, cookie(ALICE), HANDSHAKE, {"Origin": origin}).status


def test_a_server_may_take_them_from_any_page():
    search = next(each for each in SERVERS if each.number == SEARCH)
    live_in(world(search._replace(any_origin=True)))
    for origin in ("https://evil.example.org", "null", ""):
        assert 200 == ask(SEARCH_URL, cookie(ALICE), HANDSHAKE, {"Origin": origin}).status
    assert 403 == ask(SEARCH_URL, cookie(MALLORY), HANDSHAKE, STRANGE).status
    # A change log of before does not name the switch.
    old = f.from_json(f.to_json(search)[:-1])
    assert search == old


@pytest.mark.parametrize(
    "upgrade",
    ["h2c", "H2C", "h2", "foo", "tls/1.2", "websocket, h2c", "h2c, websocket", "websocket,websocket", "websocket/13",
     "web socket", "xwebsocket", "websocketx", ""],
)  # fmt: skip
def test_nothing_but_a_websocket_is_an_upgrade(upgrade):
    for shown in (cookie(ALICE), bearer(key_of(ALICE)), cookie(MALLORY), {}):
        for more in ({}, HANDSHAKE):
            answer = ask(SEARCH_URL, shown, more | {"Upgrade": upgrade}, OWN)
            assert (403, "upgrade") == (answer.status, reason(answer))
    for spelled in ("websocket", "WebSocket", "WEBSOCKET"):
        assert 200 == ask(SEARCH_URL, cookie(ALICE), HANDSHAKE | {"Upgrade": spelled}, OWN).status


def test_two_upgrades_are_refused():
    for pair in (("websocket", "h2c"), ("h2c", "websocket"), ("websocket", "websocket")):
        asked = [*nginx(SEARCH_URL, cookie(ALICE), OWN).items(), *(("Upgrade", each) for each in pair)]
        assert 403 == judged(request(asked)).status


def test_an_answer_to_one_page_is_never_given_to_another():
    """Neither what was judged before, nor what came before byte for byte or but for its URL, is a handshake's."""
    wire, plain = Wire(), lines(nginx(SEARCH_URL, AS_NGINX_TOLD, cookie(ALICE)))
    for _ in range(3):
        assert 200 == wire.send(plain).status
    kept = len(current_world().memory.answers)
    assert kept

    for marks in ({"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}, {"Sec-WebSocket-Version": "13"}, HANDSHAKE):
        for _ in range(3):
            for url in (SEARCH_URL, f"{SEARCH_URL}/other", SEARCH_URL):
                for origin, expected in ((OWN, 200), (STRANGE, 403), ({}, 200), ({"Origin": "null"}, 403)):
                    asked = lines(nginx(url, AS_NGINX_TOLD, cookie(ALICE), marks, origin))
                    assert expected == wire.send(asked).status, (marks, url, origin)
            assert 200 == wire.send(plain).status
    assert kept == len(current_world().memory.answers)


def test_a_page_that_is_registered_or_struck_off_counts_at_once(settings):
    asked = nginx(SEARCH_URL, cookie(ALICE), HANDSHAKE, {"Origin": "https://chat.example.com"})
    assert 200 == judged(request(asked)).status
    settings.AUTHZ_SOCKET_ORIGINS = []
    assert 403 == judged(request(asked)).status


def test_what_was_refused_is_in_the_audit_log(settings, tmp_path):
    recording.close_spool()
    settings.AUDIT_SPOOL_DIR = tmp_path / "spool"
    ask(SEARCH_URL, cookie(ALICE), HANDSHAKE, STRANGE)
    ask(SEARCH_URL, cookie(ALICE), {"Upgrade": "h2c"})
    recording.close_spool()
    found = [
        tuple(each[part] for part in ("effect", "rule", "code", "person")) for each in recorded(tmp_path / "spool")
    ]
    assert [
        ("deny", "strange_pages_stay_out", "origin", "alice@example.com"),
        ("deny", "a_websocket_is_the_only_upgrade", "upgrade", "alice@example.com"),
    ] == found
