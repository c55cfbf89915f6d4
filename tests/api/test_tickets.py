"""A ticket is given to whoever would be let in, for pages of one origin, and is never a surprise."""

import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from audit.models import Entry
from authz.changes import api_keys, grants, issuers, people, servers, tickets
from authz.lookups.build import revision_now
from authz.models import Session, Ticket
from tests.api.here import BY
from tests.credentials.issuer import AUDIENCE, NAME, claims, key_for, published, signed

PORTAL = "http://127.0.0.1:8000"
CHAT = "https://chat.example.com"
CONSOLE = "https://console.example.com"
STRANGE = "https://evil.example.net"
ADDRESS = "/api/v1/tickets"


@pytest.fixture
def house(here, settings):
    """Return the people we know, where search and crm can be reached by WebSocket and pages of chat may ask."""
    settings.PORTAL_URL = PORTAL
    settings.AUTHZ_SOCKET_ORIGINS = [f"{CHAT}/"]
    settings.AUTHZ_SOCKET_RPC_ORIGINS = [CONSOLE]
    servers.edit(here.search, upstream="ws://search/ws", by=BY)
    here.crm = servers.create(name="Team CRM", kind="web", upstream="ws://crm/ws", by=BY)
    here.use = api_keys.issue(person=here.alice, name="mine", scopes=["use"], by=BY).text
    return here


def by_key(key, body, **headers):
    return Client().post(ADDRESS, body, content_type="application/json", headers={"X-API-Key": key, **headers})


def browser_of(person):
    from tests.pages.cast import Cast  # noqa: PLC0415  needs the settings

    return Cast.signed_in(None, person)  # type: ignore[arg-type]


def by_page(person, body, *, origin=CHAT, **more):
    sent = {"content_type": "application/json", "headers": {"Origin": origin} if origin else {}} | more
    return browser_of(person).post(ADDRESS, body, **sent)


def refusal(answer):
    return answer.status_code, answer.json()["error"]


def test_the_owner_of_a_key_gets_a_ticket_for_one_server_and_one_origin(house, settings):
    settings.AUTHZ_TICKET_LIFETIME = 20
    answer = by_key(house.use, {"server": "SEARCH", "origin": "HTTPS://Chat.example.com:443/"})

    told = answer.json()
    assert (201, {"ticket", "expires_in", "url"}, 20) == (answer.status_code, set(told), told["expires_in"])
    assert f"/ws/search?ticket={told['ticket']}" == told["url"]
    assert "no-store" in answer["Cache-Control"]
    held = tickets.redeem(told["ticket"])
    assert (house.alice.pk, house.search.pk, CHAT) == (held.person, held.server, held.origin)
    assert held.credential.startswith("key:")
    entry = Entry.objects.order_by("-number")[0]
    assert ("ticket.issued", "alice@example.com") == (entry.kind, entry.actor)


@pytest.mark.parametrize("asked", [{"origin": ""}, {"server": None, "origin": ""}])
def test_without_a_server_it_leads_to_the_interface_of_the_portal(house, asked):
    told = by_key(house.use, asked).json()

    held = tickets.redeem(told["ticket"])
    assert ("/ws/rpc", told["ticket"]) == (
        urlsplit(told["url"]).path,
        parse_qs(urlsplit(told["url"]).query)["ticket"][0],
    )
    assert (0, "") == (held.server, held.origin)


def test_a_name_is_spelled_as_its_address_demands(house):
    grants.give(person=house.alice, server=house.crm, by=BY)
    answer = by_key(house.use, {"server": "team crm", "origin": CHAT})

    assert answer.json()["url"].startswith("/ws/Team%20CRM?ticket=ght_")


def test_a_key_for_one_server_gets_tickets_for_that_one(house):
    key = api_keys.issue(person=house.alice, name="one", scopes=["use:search"], by=BY).text

    assert 201 == by_key(key, {"server": "search", "origin": ""}).status_code
    assert (403, "key-scope") == refusal(by_key(key, {"server": "jira", "origin": ""}))


def test_any_good_key_gets_one_for_the_interface_whose_calls_ask_for_their_scopes(house):
    assert 201 == by_key(house.keys["explain"], {"origin": ""}).status_code


def test_a_page_of_a_registered_origin_gets_one_for_whoever_looks_at_it(house):
    for origin in (CHAT, PORTAL):
        answer = by_page(house.alice, {"server": "search"}, origin=origin)
        assert 201 == answer.status_code
        held = tickets.redeem(answer.json()["ticket"])
        assert (house.alice.pk, origin) == (held.person, held.origin)
        newest = Session.objects.filter(person=house.alice).latest("pk")
        assert f"session:{newest.pk}" == held.credential


PAGES = {PORTAL: (201, 201), CHAT: (201, 403), CONSOLE: (403, 201), STRANGE: (403, 403)}
"""Whether pages of an origin get a ticket for a server, and for the portal's own interface."""


@pytest.mark.parametrize(("origin", "statuses"), PAGES.items(), ids=PAGES)
@pytest.mark.parametrize("nothing", [{}, {"server": None}], ids=["left out", "null"])
def test_a_page_gets_a_ticket_only_for_what_its_origin_may_open(house, origin, statuses, nothing):
    asked = [by_page(house.alice, each, origin=origin) for each in ({"server": "search"}, nothing)]
    assert statuses == tuple(each.status_code for each in asked)
    assert all(each.json()["error"] == "origin" for each in asked if each.status_code == 403)


def test_a_page_may_name_its_own_origin_and_no_other(house):
    assert 201 == by_page(house.alice, {"server": "search", "origin": f"{CHAT}/"}).status_code
    for other in (PORTAL, STRANGE, ""):
        assert 400 == by_page(house.alice, {"server": "search", "origin": other}).status_code
    assert 1 == Ticket.objects.count()


@pytest.mark.parametrize(
    "origin", [STRANGE, "null", "", "https://chat.example.com.evil.net", "http://chat.example.com"]
)
def test_a_page_of_another_origin_gets_none_and_cannot_read_why(house, origin):
    answer = by_page(house.alice, {"server": "search"}, origin=origin)

    assert (403, "origin") == refusal(answer)
    assert "Access-Control-Allow-Origin" not in answer
    assert not Ticket.objects.exists()


def test_a_request_that_names_no_origin_is_no_page_s_even_if_the_portal_has_no_address(house, settings):
    settings.PORTAL_URL = ""
    assert (403, "origin") == refusal(by_page(house.alice, {"server": "search"}, origin=""))


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_what_a_form_could_send_is_refused(house, kind):
    body = json.dumps({"server": "search"})
    assert (400, "bad-request") == refusal(by_page(house.alice, body, content_type=kind))
    assert not Ticket.objects.exists()


def test_a_key_counts_before_the_session_and_needs_no_registered_page(house):
    headers = {"Origin": STRANGE, "X-API-Key": house.use}
    answer = by_page(house.bob, {"server": "search", "origin": STRANGE}, headers=headers)

    assert (201, False) == (answer.status_code, "Access-Control-Allow-Origin" in answer)
    assert house.alice.pk == tickets.redeem(answer.json()["ticket"]).person


@pytest.mark.parametrize("origin", [CHAT, PORTAL, STRANGE, "null", ""])
@pytest.mark.parametrize("server", ["search", "payroll"])
def test_registered_pages_and_no_others_may_read_the_answer(house, origin, server):
    answer = by_page(house.alice, {"server": server}, origin=origin)

    allowed = {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
    expected = allowed if origin in {CHAT, PORTAL} else {}
    assert expected == {name: value for name, value in answer.headers.items() if name.startswith("Access-Control")}
    assert "Origin" in answer["Vary"]


@pytest.mark.parametrize("origin", [CHAT, STRANGE, "null", ""])
def test_a_browser_that_asks_beforehand_is_told(house, origin):
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"} if origin else {}
    answer = Client().options(ADDRESS, headers=headers)

    allowed = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "content-type",
        "Access-Control-Max-Age": "600",
    }
    found = {name: value for name, value in answer.headers.items() if name.startswith("Access-Control")}
    assert (204, allowed if origin == CHAT else {}) == (answer.status_code, found)
    assert "Origin" in answer["Vary"]


def test_a_token_is_refused_for_it_is_not_kept(house):
    keys = published(key_for("ES256"))
    issuers.trust(name="Corp", issuer=NAME, audiences=[AUDIENCE], jwks=keys, algorithms=["ES256"], by=BY)
    token = signed(claims(iat=int(time.time()), exp=int(time.time()) + 60))
    answer = Client().post(
        ADDRESS, {"origin": ""}, content_type="application/json", headers={"Authorization": f"Bearer {token}"}
    )

    assert (403, "not-allowed") == refusal(answer)
    assert "no ticket can rest on it" in answer.json()["detail"]


def test_whoever_would_not_be_let_in_gets_none(house):
    his = api_keys.issue(person=house.bob, name="his", scopes=["use"], by=BY).text
    assert (403, "no-grant") == refusal(by_key(his, {"server": "search", "origin": ""}))
    assert (403, "no-grant") == refusal(by_page(house.bob, {"server": "search"}))
    assert (403, "tool-unnamed") == refusal(by_key(house.use, {"server": "jira", "origin": ""}))
    servers.edit(house.search, enabled=False, by=BY)
    assert (403, "server-disabled") == refusal(by_key(house.use, {"server": "search", "origin": ""}))
    people.suspend(house.alice, by=BY)
    assert (403, "suspended") == refusal(by_key(house.use, {"origin": ""}))
    assert not Ticket.objects.exists()


def test_a_server_that_no_websocket_leads_to_has_no_tickets(house):
    servers.edit(house.search, upstream="", by=BY)
    assert (404, "no-such-thing") == refusal(by_key(house.use, {"server": "search", "origin": ""}))


def test_a_stranger_gets_none(house):
    for headers in ({}, {"Origin": CHAT}, {"Authorization": "Bearer nonsense"}):
        answer = Client().post(ADDRESS, {"origin": ""}, content_type="application/json", headers=headers)
        assert (401, "bad-credential") == refusal(answer)
    assert (401, "bad-credential") == refusal(by_key("ghk_nonsense", {"origin": ""}))


WRONG = {
    "no origin": {"server": "search"},
    "an origin that is no text": {"origin": 1},
    "a path for an origin": {"origin": "https://chat.example.com/room"},
    "no page's origin": {"origin": "null"},
    "a server that is no text": {"server": 7, "origin": ""},
    "a member that is mistyped": {"sever": "search", "origin": ""},
    "a list": [],
    "a text": "search",
    "no JSON": b"{",
    "no UTF-8": b'{"origin": "\xff"}',
    "a very deep one": b"[" * 4000,
    "a very long one": {"origin": "", "server": "x" * 5000},
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG)
def test_a_bad_request_is_told_so(house, body):
    answer = by_key(house.use, body if isinstance(body, bytes) else json.dumps(body))
    assert 400 == answer.status_code
    assert not Ticket.objects.exists()


def test_a_server_that_is_unknown_is_named(house):
    answer = by_key(house.use, {"server": "payroll", "origin": ""})
    assert (404, True) == (answer.status_code, "payroll" in answer.json()["detail"])


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete"])
def test_a_ticket_is_asked_for_by_post(house, method):
    answer = getattr(Client(), method)(ADDRESS, headers={"X-API-Key": house.use})
    assert (405, "POST") == (answer.status_code, answer["Allow"])


def test_a_ticket_is_no_change_of_anything(house):
    before = revision_now()
    answer = by_key(house.use, {"origin": ""})
    assert (before, f"{before.epoch}.{before.revision}") == (revision_now(), answer["Authz-Revision"])


def test_a_service_gets_one_in_its_own_name(house):
    answer = by_key(house.keys["use"], {"origin": ""})
    entry = Entry.objects.order_by("-number")[0]
    assert (201, "service", "chat@example.com") == (answer.status_code, entry.actor_kind, entry.actor)
