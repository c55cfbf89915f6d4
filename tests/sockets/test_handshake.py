"""A handshake is judged like any request: let in, or refused by a status and a reason that a client can read."""

import json
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.installation import fetch
from tests.patience import HANG
from tests.sockets.live import CONSOLE, ORIGIN, connected, is_alive, refused

STRANGE = "https://evil.example.com"


def test_whoever_may_use_a_server_is_carried_to_it(here, served):
    for name, path in (
        ("alice", "/ws/search/room"),
        ("bob", "/ws/crm"),
        ("alice", "/ws/search"),
        ("alice", "/ws/SEARCH/"),
    ):
        for how in (here.browser(name), {"headers": here.bearer(name)}):
            with connected(served, path, **how) as client:
                assert is_alive(client)


REFUSALS = {
    "a stranger": ("/ws/search", {}, 401, "sign-in"),
    "somebody whom no grant lets in": ("/ws/crm", "browser:alice", 403, "no-grant"),
    "somebody who may use nothing": ("/ws/search", "browser:mallory", 403, "no-grant"),
    "a server that is carried nowhere": ("/ws/jira", "browser:alice", 404, "not-found"),
    "a server that does not exist": ("/ws/nothing", "browser:alice", 404, "not-found"),
    "a server that does not exist, to a stranger": ("/ws/nothing", {}, 401, "sign-in"),
    "an address that leads nowhere": ("/elsewhere", "browser:alice", 404, "not-found"),
    "below the interface": ("/ws/rpc/more", "browser:alice", 404, "not-found"),
    "an ambiguous path": ("/ws/search/a/../b", "browser:alice", 403, "unreadable-url"),
    "backslashes": ("/ws/search/..\\..\\admin", "browser:alice", 403, "unreadable-url"),
    "what becomes a slash": ("/ws/search/a%E2%81%84b", "browser:alice", 403, "unreadable-url"),
    "a hidden slash": ("/ws/search%2froom", "browser:alice", 403, "unreadable-url"),
    "a key that is none": ("/ws/search", {"headers": {"Authorization": "Bearer ghk_x"}}, 401, "bad-credential"),
    "a session that is none": ("/ws/search", {"headers": {"Cookie": "gatehouse=x"}}, 401, "bad-credential"),
    "a page of a stranger": ("/ws/search", "strange:alice", 403, "origin"),
    "a cookie without a page": ("/ws/search", "nopage:alice", 403, "origin"),
    "a page that may speak JSON-RPC, to a server": ("/ws/search", "console:alice", 403, "origin"),
    "a page of an application, to the interface": ("/ws/rpc", "browser:alice", 403, "origin"),
    "the same, of somebody who administers": ("/ws/rpc", "browser:carol", 403, "origin"),
    "a page of a stranger, to the interface": ("/ws/rpc", "strange:carol", 403, "origin"),
    "a cookie without a page, to the interface": ("/ws/rpc", "nopage:carol", 403, "origin"),
    "an address that nobody knows": ("/ws/search?ticket=nonsense", "browser:alice", 401, "bad-credential"),
    "two tickets": ("/ws/search?ticket=a&ticket=b", "browser:alice", 401, "bad-credential"),
    "a look-alike of a header": ("/ws/search", {"headers": {"X_Real_IP": "192.0.2.1"}}, 403, "unreadable-url"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "how", "status", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_everybody_else_is_told_why_not(path, how, status, reason, here, served):  # noqa: PLR0917  a table's columns
    if isinstance(how, str):
        kind, name = how.split(":")
        origin = {"browser": ORIGIN, "strange": STRANGE, "nopage": None, "console": CONSOLE}[kind]
        how = {"headers": here.cookie(name), "origin": origin}
    assert (status, reason) == refused(served, path, **how)


def test_a_refusal_is_no_redirect_and_says_what_is_wrong(here, served):
    with pytest.raises(InvalidStatus) as caught:
        connected(served, "/ws/crm", **here.browser("alice"))
    response = caught.value.response
    assert 403 == response.status_code
    assert "Location" not in response.headers
    assert "no-store" == response.headers["Cache-Control"]
    assert {"error": "no-grant", "detail": "Nothing permits you to do this."} == json.loads(response.body)


def test_a_bearer_credential_is_challenged_and_needs_no_origin(here, served):
    with pytest.raises(InvalidStatus) as caught:
        connected(served, "/ws/search", headers={"Authorization": "Bearer ghk_x"})
    assert 'error="invalid_token"' in caught.value.response.headers["WWW-Authenticate"]
    with connected(served, "/ws/search", headers=here.bearer("alice"), origin=STRANGE) as client:
        assert is_alive(client)


def test_a_ticket_opens_one_connection_of_its_person_to_its_server_from_its_pages(here, served):
    ticket = here.ticket("alice", "search")
    with connected(served, f"/ws/search/room?ticket={ticket}&room=7", origin=ORIGIN) as client:
        client.send("who am I?")
        told = json.loads(client.recv(timeout=HANG))
    assert "alice@example.com" == told["headers"]["x-user-email"]
    assert "/ws/room?room=7" == told["path"]
    assert (401, "bad-credential") == refused(served, f"/ws/search?ticket={ticket}", origin=ORIGIN)


TICKETS = {
    "for another server": ("crm", ORIGIN, "/ws/search"),
    "for the interface": (None, ORIGIN, "/ws/search"),
    "from a strange page": ("search", STRANGE, "/ws/search"),
    "for the interface from a strange page": (None, STRANGE, "/ws/rpc"),
}


@pytest.mark.parametrize(("server", "origin", "path"), TICKETS.values(), ids=TICKETS)
def test_a_ticket_counts_for_nothing_else_and_is_used_up_by_trying(server, origin, path, here, served):
    ticket = here.ticket("alice", server, origin)
    assert (401, "bad-credential") == refused(served, f"{path}?ticket={ticket}", origin=ORIGIN)
    right = "/ws/rpc" if server is None else f"/ws/{server}"
    assert (401, "bad-credential") == refused(served, f"{right}?ticket={ticket}", origin=origin)


def test_a_ticket_shows_less_than_its_person_may(here, served):
    """It stands for what was shown for it, so somebody whom no grant lets in is not let in by a ticket either."""
    ticket = here.ticket("alice", "crm")
    assert (403, "no-grant") == refused(served, f"/ws/crm?ticket={ticket}", origin=ORIGIN)


def test_the_same_path_without_a_handshake_is_a_page_that_does_not_exist(here, served):
    assert 404 == fetch(f"{served.url}/ws/search", headers=here.cookie("alice")).status


def test_every_handshake_that_is_judged_is_recorded_as_it_was_answered(here, served):
    strange = {"headers": here.cookie("alice"), "origin": STRANGE}
    asked: tuple[tuple[str, dict[str, Any]], ...] = (
        ("/ws/search/1", here.browser("alice")), ("/ws/search/2", strange), ("/ws/search/3", {}),
        ("/ws/crm/4", here.browser("alice")), ("/ws/search/5", {"headers": {"X_Real_IP": "192.0.2.1"}}),
    )  # fmt: skip
    for path, how in asked:
        refused(served, path, **how)
    files = here.portal.folder.glob("spool/*.spool")
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    found = {line["url"][-1]: (line["effect"], line["code"]) for line in lines if line["url"][-2:-1] == "/"}
    assert {
        "1": ("allow", "granted"), "2": ("deny", "origin"), "3": ("sign-in", "sign-in"), "4": ("deny", "no-grant"),
        "5": ("deny", "unreadable-url"),
    } == {name: found.get(name) for name in "12345"}  # fmt: skip
    assert {"websocket"} == {line["dialect"] for line in lines if line["url"].startswith("/ws/")}
