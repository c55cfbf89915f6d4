"""A request that differs from another in nothing but its URL is answered as if it had been read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from authz.edge import recording
from authz.edge.repeated import LONGEST, LONGEST_CALL
from authz.lookups.current import current_world
from tests.edge.test_repeated import recorded, repeats, without_signatures
from tests.people import (
    ALICE,
    BOB,
    CAROL,
    MALLORY,
    PEOPLE,
    SEARCH_URL,
    SECRET,
    at,
    bearer,
    cookie,
    key_of,
    live_in,
    nginx,
    session,
    world,
)
from tests.questions import CALL, NOW
from tests.run.examples import examples
from tests.wire import Wire, lines

pytestmark = pytest.mark.usefixtures("house")
HERE = Path(__file__).parents[2]

HOSTS = ("mcp.example.com", "crm.example.com", "files.example.com", "closed.example.com", "elsewhere.example.com")
PATHS = (
    "/search", "/search/", "/search/1", "/search?q=1", "/search#x", "/search/../jira", "/search%2f1", "/search/%41",
    "/searching", "/jira", "/jira/mcp", "/jira/mcp/x", "/files", "/files/x", "/", "//search", "/search;x", "/search x",
    " /search", "/search ", "/search\t", "/search\rx", "/search\nx", "/search\0", "/s\xe9arch", "/search\x7f", "",
    "search", "?", "/" + "x" * 600, "/" + "x" * 9000, "@evil.example.com/search", "/search\r\nX-Api-Key: x",
)  # fmt: skip
SHOWN: tuple[dict[str, str], ...] = (
    cookie(ALICE), cookie(BOB), cookie(CAROL), cookie(MALLORY), bearer(key_of(ALICE)), {},
    cookie(ALICE) | bearer(key_of(BOB)), {"Cookie": "gatehouse=x"},
)  # fmt: skip
MORE: tuple[dict[str, str], ...] = (
    {},
    CALL,
    CALL | {"Mcp-Name": "create_issue"},
    {"X-Real-IP": "192.0.2.1"},
    {"X-Real-IP": "bad"},
    {"Sec-WebSocket-Key": "x", "Origin": "https://mcp.example.com"},
    {"Sec-WebSocket-Key": "x", "Origin": "https://evil.example.org"},
)


ALICES = cookie(ALICE)


def as_nginx(host, path, shown, more, method):
    """Return what nginx asks, with its own headers before and after the URL."""
    return lines(nginx(f"https://{host}{path}", shown, more, method=method))


def as_traefik(host, path, shown, more, method):
    """Return what Traefik asks."""
    told = {"X-Forwarded-Method": method, "X-Forwarded-Proto": "https", "X-Forwarded-Host": host}
    asked = {"X-Proxy-Secret": SECRET} | told | {"X-Forwarded-Uri": path} | shown | more
    return lines(asked, target="/auth/validate/forward")


ASKED = st.fixed_dictionaries(
    {
        "host": st.sampled_from(HOSTS),
        "shown": st.sampled_from(SHOWN),
        "more": st.sampled_from(MORE),
        "method": st.sampled_from(["GET", "POST"]),
    }
)
PATH = st.sampled_from(PATHS) | st.text(st.characters(max_codepoint=255), max_size=12).map(
    lambda text: f"/search{text}"
)


def unread(wire, request):
    """Return what was answered, and whether the parser was spared the request."""
    wire.edge.requests = 99
    said = wire.send(request)
    return said, wire.edge.requests == 99


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(400))
@given(st.sampled_from([as_nginx, as_traefik]), ASKED, st.lists(PATH, min_size=1, max_size=6))
def test_every_url_is_answered_as_if_the_request_had_been_read(house, dialect, asked, paths):
    live_in(world())
    with pytest.MonkeyPatch.context() as patch, at(patch, NOW):
        for path in ["/search/a", "/search/b", "/search/c", *paths, "/files/a", *paths]:
            request = dialect(path=path, **asked)
            kept = current_world()
            again = Wire().send(request)
            live_in(world())
            expected = Wire().send(request)
            live_in(kept)
            assert without_signatures(expected) == without_signatures(again)


@pytest.mark.parametrize("dialect", [as_nginx, as_traefik])
@pytest.mark.parametrize(("person", "status"), [(ALICE, b"200"), (MALLORY, b"403")])
def test_the_third_url_is_answered_unread_and_recorded_as_what_it_is(dialect, person, status, settings, tmp_path):
    recording.close_spool()
    settings.AUDIT_SPOOL_DIR = tmp_path
    wire, said = Wire(), []
    for number in range(5):
        request = dialect("mcp.example.com", f"/search/{number}?q=secret", cookie(person), {}, "GET")
        said.append(unread(wire, request))
    recording.close_spool()

    assert [False, False, True, True, True] == [spared for _, spared in said]
    assert {status} == {answer[9:12] for answer, _ in said}
    found = recorded(tmp_path)
    assert [f"{SEARCH_URL}/{number}" for number in range(5)] == [each["url"] for each in found]
    for each in found:
        del each["id"], each["at"], each["url"]
    assert [found[0]] * 5 == found
    assert 1 == len(current_world().memory.apart)
    assert 0 == repeats()


def test_what_is_asked_again_is_then_known_byte_for_byte(settings, tmp_path):
    recording.close_spool()
    settings.AUDIT_SPOOL_DIR = tmp_path
    wire = Wire()
    for number in (1, 2, 3, 3, 3, 3):
        wire.send(as_nginx("mcp.example.com", f"/search/{number}", cookie(ALICE), {}, "GET"))
    recording.close_spool()

    assert 1 == repeats()
    (spool,) = tmp_path.glob("*.spool")
    assert b'"again":[[' in spool.read_bytes().splitlines()[-1]
    assert [f"{SEARCH_URL}/3"] * 4 == [each["url"] for each in recorded(tmp_path)][2:]


def known(dialect, shown=ALICES, more=None):
    """Return a connection on which requests of a kind are answered unread, and how to make one."""
    wire = Wire()

    def ask(path):
        return dialect("mcp.example.com", path, shown, more or {}, "GET")

    for number in range(3):
        wire.send(ask(f"/search/{number}"))
    assert 1 == len(current_world().memory.apart)
    return wire, ask


def test_a_header_that_another_dialect_reads_does_not_say_where_a_request_goes():
    """Traefik hands on what a client sends as X-Original-URL, and nginx what it sends as X-Forwarded-Uri."""
    for planted in ("", "/search/9", "https://mcp.example.com/search/9"):
        wire, ask = known(as_traefik, more={"X-Original-URL": planted})
        for lie in ("", "/search/7", "https://mcp.example.com/search/7"):
            said, _ = unread(wire, ask("/search/8").replace(planted.encode() + b"\r\n\r\n", lie.encode() + b"\r\n\r\n"))
            assert 200 == said.status
            crm = as_traefik("crm.example.com", "/x", cookie(ALICE), {"X-Original-URL": lie}, "GET")
            assert [403] * 4 == [wire.send(crm).status for _ in range(4)]
        live_in(world())
    wire, _ = known(as_nginx, more={"X-Forwarded-Uri": "/search/9"})
    lying = as_nginx("crm.example.com", "/x", cookie(ALICE), {"X-Forwarded-Uri": "/search/9"}, "GET")
    assert [403] * 4 == [wire.send(lying).status for _ in range(4)]


def test_two_headers_do_not_change_their_places():
    """Without what stands in them, a request that fills one of them and one that fills the other look the same."""
    wire, ask = known(as_traefik, more={"X-Original-URL": ""})
    swapped = ask("").replace(b"X-Original-URL: ", b"X-Original-URL: /search/7")
    assert [403] * 3 == [wire.send(swapped).status for _ in range(3)]


def test_what_the_header_holds_besides_the_url_is_no_part_of_it():
    wire = Wire()
    for number in range(4):
        asked = as_nginx("mcp.example.com", f"/search/{number}", cookie(ALICE), {}, "GET")
        assert 200 == wire.send(asked.replace(b"https:", b" https:")).status
    assert 403 == wire.send(as_nginx("", "", cookie(ALICE), {}, "GET").replace(b"https://", b"/7")).status


def test_a_body_does_not_say_where_a_request_goes():
    """Here nginx tells the path in X-Original-URI."""
    wire = Wire()

    def ask(path, said):
        body = f"x\r\nX-Original-URL: {said}\r\n".encode()
        told = {
            "Host": "mcp.example.com",
            "X-Forwarded-Proto": "https",
            "X-Original-URI": path,
            "X-Original-Method": "GET",
        }
        head = {"X-Proxy-Secret": SECRET, "Content-Length": str(len(body))} | told | cookie(ALICE)
        return wire.send(lines(head) + body).status

    assert 403 == ask("/jira/abc", "/jira/abc")
    assert [200] * 4 == [ask(f"/search/{number}", f"/search/{number}") for number in range(4)]
    assert [200] * 4 == [ask(f"/search/{number}", "/jira/abc") for number in range(4)]
    assert [403] * 4 == [ask("/jira/abc", f"/search/{number}") for number in range(4)]


def test_a_traefik_s_host_stays_the_one_that_was_judged():
    wire, _ = known(as_traefik)
    assert [403] * 3 == [
        wire.send(as_traefik("crm.example.com", f"/search/{number}", cookie(ALICE), {}, "GET")).status
        for number in range(3)
    ]
    assert 403 == wire.send(as_traefik("mcp.example.com", ".evil.example.com/search", cookie(ALICE), {}, "GET")).status


TAMPERED = {
    "twice": lambda request: request.replace(b"X-Original-URL: ", b"X-Original-URL: https://x.example.com/\r\n" * 2),
    "once more at the end": lambda request: request[:-2] + b"X-Original-URL: https://crm.example.com/\r\n\r\n",
    "a look-alike beside it": lambda request: request[:-2] + b"X_Original_URL: https://crm.example.com/\r\n\r\n",
    "folded": lambda request: request.replace(b"/search/7", b"/search/7\r\n /x"),
    "ended by a line feed": lambda request: request.replace(b"/search/7\r\n", b"/search/7\nX-Real-IP: 192.0.2.1\r\n"),
    "without its secret": lambda request: request.replace(SECRET.encode(), b"wrong"),
    "with the path of nginx as well": lambda request: request[:-2] + b"X-Original-URI: /search\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("tampered", TAMPERED.values(), ids=TAMPERED)
def test_what_was_tampered_with_is_read_and_refused(tampered):
    wire, ask = known(as_nginx)
    said, spared = unread(wire, tampered(ask("/search/7")))
    assert not spared
    assert said.status in {400, 403}


def test_another_peer_s_requests_are_read():
    _, ask = known(as_nginx)
    said, spared = unread(Wire("203.0.113.9"), ask("/search/7"))
    assert 200 == said.status  # it shows the proxy's secret
    assert not spared


def test_it_ends_with_its_world_and_with_its_reason(monkeypatch):
    with at(monkeypatch, NOW):
        live_in(world(session(ALICE, number=1, until=NOW + 10)))
        wire, ask = known(as_nginx, cookie(ALICE, 1))
        assert 200 == wire.send(ask("/search/7")).status
    with at(monkeypatch, NOW + 9.9):
        said, spared = unread(wire, ask("/search/8"))
        assert (200, True) == (said.status, spared)
    with at(monkeypatch, NOW + 10):
        assert 401 == wire.send(ask("/search/9")).status
    live_in(world(PEOPLE[ALICE - 1]._replace(active=False)))
    wire, ask = Wire(), known(as_nginx)[1]
    assert 403 == wire.send(ask("/search/9")).status


def test_a_request_that_is_very_long_is_read():
    wire = Wire()
    long = {"X-Padding": "x" * LONGEST}
    said = [
        unread(wire, as_nginx("mcp.example.com", f"/search/{number}", cookie(ALICE), long, "GET"))
        for number in range(5)
    ]
    assert [(200, False)] * 5 == [(answer.status, spared) for answer, spared in said]
    assert 0 == len(current_world().memory.apart)


@pytest.mark.parametrize("version", ["2026-07-28", "2025-11-25"])
def test_what_is_said_of_a_tool_takes_little_room(version):
    call = {"MCP-Protocol-Version": version, "Mcp-Method": "x" * 4000, "Mcp-Name": "x" * 1000}
    wire = Wire()
    for number in range(4):
        wire.send(as_nginx("mcp.example.com", f"/search/{number}", cookie(MALLORY), call, "POST"))
    assert all(sum(map(len, apart.asker.call)) < LONGEST_CALL for apart in current_world().memory.apart.values())
    assert (version == "2025-11-25") == bool(current_world().memory.apart)


def test_a_body_without_an_end_of_line_is_a_body():
    wire, body = Wire(), b"x\r\nX-Original-URL: /search/1Z"
    told = {"Host": "mcp.example.com", "X-Forwarded-Proto": "https", "X-Original-Method": "GET"}
    head = {"X-Proxy-Secret": SECRET, "Content-Length": str(len(body))} | told | cookie(ALICE)
    for number in range(4):
        assert 200 == wire.send(lines(head | {"X-Original-URI": f"/search/{number}/search/1"}) + body).status
    assert 0 == len(current_world().memory.apart)


@pytest.mark.parametrize(("seed", "fit"), [("", True), ("random", True), ("0", False), ("123", False)])
def test_under_a_hash_that_somebody_chose_nothing_is_remembered(seed, fit):
    code = "import django; django.setup(); from authz.edge.repeated import HASHES; print(HASHES)"
    env = os.environ | {"PYTHONHASHSEED": seed, "DJANGO_SETTINGS_MODULE": "portal.settings"}
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=HERE, capture_output=True, text=True, check=True)  # noqa: S603  this interpreter
    assert str(fit) == done.stdout.strip()


def test_secrets_are_not_remembered():
    known(as_nginx)
    remembered = repr([*current_world().memory.apart.items()])
    assert not any(secret in remembered for secret in (cookie(ALICE)["Cookie"].partition("=")[2], SECRET))
