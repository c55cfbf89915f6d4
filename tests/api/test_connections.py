"""Who is connected is told to keys with the scope, newest first, and ended by them."""

import pytest
from django.test import Client

from audit.models import Entry
from authz.api import connections
from authz.changes import api_keys
from authz.decisions.scopes import WHOLE
from authz.lookups.build import revision_now
from authz.lookups.connections import live
from tests.api.here import BY
from tests.roster import carried, closed, connected, killed


def shown(here, scope="connections"):
    return {"Authorization": f"Bearer {here.keys[scope]}"} if scope else {}


def delete(here, path, *, scope="connections"):
    return Client().delete(f"/api/v1/{path}", headers=shown(here, scope))


def ids(here, **asked):
    answer = here.get("connections", asked, scope="connections")
    assert 200 == answer.status_code
    return [each["id"] for each in answer.json()["connections"]]


def test_a_connection_is_told_as_it_is(here):
    row = connected(here.alice, here.search, id="c1", opened=1_767_225_600.0, ends=1_767_229_200.0)
    carried(row, received=7, sent=11)

    assert {
        "connections": [
            {
                "id": "c1",
                "person": "alice@example.com",
                "server": "search",
                "kind": "relay",
                "credential": "session:1",
                "address": "192.0.2.7",
                "origin": "https://chat.example.com",
                "opened_at": "2026-01-01T00:00:00+00:00",
                "ends_at": "2026-01-01T01:00:00+00:00",
                "ends_because": "lifetime",
                "received": 7,
                "sent": 11,
            }
        ],
        "truncated": False,
    } == here.get("connections", scope="connections").json()


def test_they_come_newest_first_and_only_the_live_ones(here):
    for name, opened in (("second", 20.0), ("third", 10.0), ("first", 30.0)):
        connected(here.alice, id=name, opened=opened)
    closed(connected(here.alice))
    connected(here.alice, process="killed")
    killed("killed")

    assert ["first", "second", "third"] == ids(here)


def test_a_person_and_a_server_are_asked_for_in_any_case(here):
    connected(here.alice, here.search, id="a")
    connected(here.alice, id="b")
    connected(here.bob, here.search, id="c")

    assert {"a", "b"} == set(ids(here, person="ALICE@example.com"))
    assert {"a", "c"} == set(ids(here, server="Search"))
    assert ["c"] == ids(here, server="search", person="bob@example.com")
    assert [] == ids(here, person="eve@example.com")


@pytest.mark.parametrize("asked", [{"person": "nobody@example.com"}, {"server": "payroll"}, {"server": ""}])
def test_who_or_what_is_unknown_is_named(here, asked):
    answer = here.get("connections", asked, scope="connections")
    assert (404, "no-such-thing") == (answer.status_code, answer.json()["error"])


def test_more_than_fit_in_one_answer_are_said_to_be_left_out(here, monkeypatch):
    monkeypatch.setattr(connections, "MOST", 2)
    for n in range(3):
        connected(here.alice, id=f"c{n}", opened=float(n))
    answer = here.get("connections", scope="connections").json()

    assert (["c2", "c1"], True) == ([each["id"] for each in answer["connections"]], answer["truncated"])


def test_one_is_ended_and_the_book_says_by_whom(here):
    row, stays = connected(here.alice), connected(here.alice)
    answer = delete(here, f"connections/{row.pk}")

    assert (200, {"disconnected": True}) == (answer.status_code, answer.json())
    assert [stays] == list(live())
    told = Entry.objects.order_by("-number")[0]
    assert ("connection.hung_up", "service", "chat@example.com") == (told.kind, told.actor_kind, told.actor)


def test_all_of_one_person_are_ended(here):
    connected(here.alice)
    connected(here.alice, here.search)
    his = connected(here.bob)
    answer = delete(here, "users/Alice@example.com/connections")

    assert (200, {"disconnected": True}) == (answer.status_code, answer.json())
    assert [his] == list(live())


def test_what_was_ended_is_dated_with_the_revision_that_ended_it(here):
    before = revision_now()
    answer = delete(here, f"connections/{connected(here.alice).pk}")

    assert f"{before.epoch}.{before.revision + 1}" == answer["Authz-Revision"]


def test_a_connection_that_is_not_there_is_not_found(here):
    gone, hung_up = connected(here.alice), connected(here.alice)
    closed(gone)
    delete(here, f"connections/{hung_up.pk}")
    for name in (gone.pk, hung_up.pk, "x"):
        answer = delete(here, f"connections/{name}")
        assert (404, "no-such-thing") == (answer.status_code, answer.json()["error"])
    assert 404 == delete(here, "users/nobody@example.com/connections").status_code


@pytest.mark.parametrize("scope", ["", *WHOLE])
def test_only_one_scope_ends_them(here, scope):
    row = connected(here.alice)
    expected = 200 if scope == "connections" else 403 if scope else 401
    for path in (f"connections/{row.pk}", "users/alice@example.com/connections"):
        assert expected == delete(here, path, scope=scope).status_code
    assert (scope != "connections") == live().exists()


def test_a_session_ends_none(here):
    from tests.pages.cast import Cast  # noqa: PLC0415  only here

    row = connected(here.alice)
    browser = Cast.signed_in(None, here.alice)  # type: ignore[arg-type]
    assert 401 == browser.delete(f"/api/v1/connections/{row.pk}").status_code
    assert live().exists()


@pytest.mark.parametrize("method", ["get", "head", "post", "put", "patch", "options"])
def test_only_delete_ends_them(here, method):
    row = connected(here.alice)
    for path in (f"connections/{row.pk}", "users/alice@example.com/connections"):
        answer = getattr(Client(), method)(f"/api/v1/{path}", headers=shown(here))
        assert (405, "DELETE") == (answer.status_code, answer["Allow"])
    assert live().exists()


def test_a_person_s_own_key_acts_in_the_name_of_the_person(here):
    key = api_keys.issue(person=here.bob, name="tidy", scopes=["connections"], by=BY).text
    row = connected(here.alice)
    Client().delete(f"/api/v1/connections/{row.pk}", headers={"X-API-Key": key})

    told = Entry.objects.order_by("-number")[0]
    assert ("person", "bob@example.com") == (told.actor_kind, told.actor)
