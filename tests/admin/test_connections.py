"""Who is connected is seen, and ended; connections end by themselves at any time, also while somebody looks."""

import pytest

from authz.changes import api_keys, issuers, servers
from authz.models import Connection
from tests.admin.cast import BY
from tests.admin.screen import kinds_since, revision, told
from tests.roster import carried, closed, connected


@pytest.fixture
def chat(db):
    return servers.create(name="chat", kind="web", by=BY)


@pytest.fixture
def hers(alice, chat):
    return connected(alice, chat)


def listed(answer):
    return [str(row) for row in answer.context["cl"].result_list]


def test_the_list_says_who_is_connected_to_what_by_which_proof_and_until_when(screen, hers, bob, chat):
    carried(hers, received=2048, sent=5 * 1024 * 1024)
    key = api_keys.issue(person=bob, name="nightly", scopes=["use"], by=BY).row
    corp = issuers.trust(name="Corp", issuer="corp", audiences=["us"], jwks_url="https://idp.example.com/k", by=BY)
    connected(bob, credential=f"key:{key.pk}", because="credential-expired")
    connected(bob, kind="tcp", credential=f"jwt:{corp.pk}", because="not-allowed")

    page = screen.get("authz_connection").content.decode().replace("\xa0", " ")

    for shown in (
        "alice@example.com", "chat", "192.0.2.7", "relayed WebSocket", "2.0 KB / 5.0 MB", ">session 1<",
        "/admin/authz/session/1/change/", "its longest life is over",
        "JSON-RPC", ">WebSocket<", f">API key {key.pk}<", f"/admin/authz/apikey/{key.pk}/change/",
        "its sign-in, key or token ends",
        ">TCP<", ">JWT of Corp<", f"/admin/authz/issuer/{corp.pk}/change/", "the right to it ends",
    ):  # fmt: skip
        assert shown in page, shown


def test_a_proof_that_is_forgotten_is_still_named(screen, alice):
    here = connected(alice, credential="jwt:77")

    assert b"JWT of issuer 77" in screen.get("authz_connection", "change", here.pk).content


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["bob@example.com to rpc", "alice@example.com to chat"]),
        ({"q": "ALICE"}, ["alice@example.com to chat"]),
        ({"q": "198.51.100"}, ["bob@example.com to rpc"]),
        ({"q": "chat"}, ["alice@example.com to chat"]),
        ({"kind": "rpc"}, ["bob@example.com to rpc"]),
        ({"kind": "tcp"}, []),
        ({"kind": "nonsense", "q": "bob"}, ["bob@example.com to rpc"]),
        ({"server__isnull": "True"}, ["bob@example.com to rpc"]),
    ],
)
def test_search_and_filters_keep_what_is_meant(screen, hers, bob, query, expected):
    connected(bob, address="198.51.100.4", opened=hers.opened_at.timestamp() + 9)

    assert expected == listed(screen.get("authz_connection", **query))


def test_they_are_found_by_their_server(screen, hers, bob, chat):
    connected(bob)

    assert ["alice@example.com to chat"] == listed(screen.get("authz_connection", server__id__exact=chat.pk))


def test_one_is_disconnected_and_the_reason_is_in_the_book(screen, hers):
    entries = told()
    path = f"/admin/authz/connection/{hers.pk}/disconnect/"
    asked = screen.client.get(path)
    assert (200, True) == (asked.status_code, b"alice@example.com to chat" in asked.content)

    answer = screen.client.post(path, {"_sure": "1", "reason": "lost laptop"})

    assert (302, "/admin/authz/connection/") == (answer.status_code, answer["Location"])
    assert ["connection.hung_up"] == kinds_since(entries)
    assert [] == listed(screen.get("authz_connection"))
    hers.refresh_from_db()
    assert hers.hung_up is not None


def test_several_are_disconnected_in_one_change(screen, hers, bob):
    rows = [hers, connected(bob)]
    before, entries = revision(), told()

    assert 302 == screen.act("authz_connection", "disconnect_selected", *rows, reason="").status_code
    assert (before + 1, ["connection.hung_up"] * 2) == (revision(), kinds_since(entries))
    assert [] == listed(screen.get("authz_connection"))


def test_all_of_one_person_are_disconnected_and_nobody_elses(screen, hers, alice, bob):
    connected(alice)
    his = connected(bob)
    entries = told()
    path = f"/admin/authz/connection/{hers.pk}/disconnect-all/"
    assert b"alice@example.com" in screen.client.get(path).content

    assert 302 == screen.client.post(path, {"_sure": "1", "reason": ""}).status_code
    assert ["connections.hung_up"] == kinds_since(entries)
    assert [str(his)] == listed(screen.get("authz_connection"))


def test_a_person_is_disconnected_on_their_own_screen_while_they_are_connected(screen, hers, alice, bob):
    def offered(person):
        shown = screen.get("authz_user", "change", person.pk)
        return "Disconnect" in [each["title"] for each in shown.context["actions_detail"]]

    assert (True, False) == (offered(alice), offered(bob))
    screen.client.post(f"/admin/authz/user/{alice.pk}/disconnect/", {"_sure": "1", "reason": ""})
    assert (False, []) == (offered(alice), listed(screen.get("authz_connection")))


def test_one_that_ended_meanwhile_is_said_to_have(screen, hers):
    closed(hers)
    get, post = screen.client.get, screen.client.post
    for page, method in (
        ("change", get), ("disconnect", get), ("disconnect", post), ("disconnect-all", get), ("disconnect-all", post),
    ):  # fmt: skip
        answer = method(f"/admin/authz/connection/{hers.pk}/{page}/", {"_sure": "1"})
        assert (302, "/admin/authz/connection/") == (answer.status_code, answer["Location"]), page
    assert b"has ended meanwhile" in screen.get("authz_connection").content


def test_a_choice_of_which_all_ended_meanwhile_is_said_to_be_gone(screen, hers, bob):
    his = connected(bob)
    chosen = {"action": "disconnect_selected", "_selected_action": [hers.pk], "select_across": "0", "index": "0"}
    closed(hers)
    before = revision()

    for sent in (chosen, chosen | {"_sure": "1"}):
        answer = screen.client.post("/admin/authz/connection/", sent, follow=True)
        assert (200, True) == (answer.status_code, b"gone meanwhile" in answer.content)
    assert (before, [str(his)]) == (revision(), listed(screen.get("authz_connection")))


def test_a_connection_cannot_be_made_changed_or_deleted_by_hand(screen, hers):
    page = f"/admin/authz/connection/{hers.pk}"

    assert 200 == screen.get("authz_connection", "change", hers.pk).status_code
    assert 403 == screen.get("authz_connection", "add").status_code
    assert 403 == screen.client.post(f"{page}/change/", {"address": "x"}).status_code
    assert 403 == screen.client.post(f"{page}/delete/", {"_sure": "1"}).status_code
    assert 1 == Connection.objects.count()


def test_its_history_is_what_the_book_tells_of_the_person(screen, hers):
    assert "alice%40example.com" in screen.get("authz_connection", "history", hers.pk)["Location"]
