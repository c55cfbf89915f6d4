"""The JSON interface: groups of somebody, explanations, searches, and who may ask."""

import json
from typing import Any

import pytest
from django.test import Client

from audit.context import Actor
from authz.changes import api_keys, grants, groups, memberships, people, servers
from authz.models import Revision, User

pytestmark = pytest.mark.django_db
BY = Actor.system("test")
ALL = ("groups:check", "groups:read", "explain")
ADDRESSES = (
    "/api/v1/users/alice@example.com/groups",
    "/api/v1/explain?person=alice@example.com&server=search",
    "/api/v1/search/people?server=search",
    "/api/v1/search/servers?person=alice@example.com",
)


@pytest.fixture
def service() -> User:
    """Return a service account, in an organisation where Alice the intern may use search and Bob may not."""
    alice, _ = (people.create(email=f"{name}@example.com", by=BY) for name in ("alice", "bob"))
    interns, engineering = (groups.create(name=name, by=BY) for name in ("interns", "engineering"))
    groups.nest(interns, parent=engineering, by=BY)
    memberships.give(person=alice, group=interns, by=BY)
    grants.give(server=servers.create(name="search", by=BY), group=engineering, by=BY)
    return people.create(email="chat@services.example.com", is_human=False, by=BY)


def caller(person: User, *scopes: str) -> Client:
    """Return a client that shows an API key."""
    key = api_keys.issue(person=person, name="test", scopes=scopes or ALL, by=BY).text
    return Client(headers={"authorization": f"Bearer {key}"})


def get(client: Client, path: str, **headers: str) -> tuple[int, Any]:
    """Return status and body."""
    answer = client.get(path, headers=headers)
    return answer.status_code, json.loads(answer.content)


def test_groups_at_any_depth_and_none_for_nobody(service: User) -> None:
    """In any case and spelling of the name; somebody suspended is in none."""
    client = caller(service)
    expected = {"user_id": "alice@example.com", "groups": ["engineering", "interns", "users"]}
    assert (200, expected) == get(client, "/api/v1/users/ALICE@example.com/groups")
    assert (200, {"user_id": "nobody@x.y", "groups": []}) == get(client, "/api/v1/users/nobody@x.y/groups")
    people.suspend(User.objects.get(email="alice@example.com"), by=BY)
    assert [] == get(client, "/api/v1/users/alice@example.com/groups")[1]["groups"]


def test_an_explanation_names_rule_chain_and_change(service: User) -> None:
    """Why Alice may, and what would let Bob."""
    client = caller(service)
    _, yes = get(client, "/api/v1/explain?person=alice@example.com&server=Search")
    assert (True, "a_grant_opens_the_door") == (yes["allowed"], yes["rule"])
    assert [["interns", "engineering"]] == [way["groups"] for way in yes["because"]]
    assert ["remove alice@example.com from interns"] == yes["to_revoke"]
    _, no = get(client, "/api/v1/explain?person=bob@example.com&server=search&action=administer")
    assert (False, "no-grant", []) == (no["allowed"], no["code"], no["because"])
    assert ["grant that bob@example.com may administer search"] == no["to_allow"]


def test_the_searches_agree_with_each_other(service: User) -> None:
    """Who reaches search, and what Alice reaches."""
    client = caller(service)
    assert ["alice@example.com"] == get(client, "/api/v1/search/people?server=search")[1]["people"]
    _, reached = get(client, "/api/v1/search/servers?person=alice@example.com")
    assert [("search", ["use"])] == [(each["server"], each["actions"]) for each in reached["servers"]]


def test_a_search_goes_on_behind_the_last_name(service: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page by page, without leaving anybody out."""
    monkeypatch.setattr("authz.api.search.PAGE", 2)
    chat = servers.create(name="chat", kind="web", by=BY)
    for n in range(5):
        grants.give(server=chat, person=people.create(email=f"p{n}@example.com", by=BY), by=BY)
    client, after, seen = caller(service), "", []
    for _ in range(3):
        _, page = get(client, f"/api/v1/search/people?server=chat&after={after}")
        assert 5 == page["total"]
        seen += page["people"]
        after = seen[-1]
        assert (len(seen) < 5) == page["more"]
    assert [f"p{n}@example.com" for n in range(5)] == seen


BAD = {
    "no person": ("/api/v1/explain?server=search", 400, "person"),
    "no server": ("/api/v1/explain?person=alice@example.com", 400, "server"),
    "an unknown person": ("/api/v1/explain?person=nobody@x.y&server=search", 404, "nobody@x.y"),
    "an unknown server": ("/api/v1/explain?person=alice@example.com&server=nothing", 404, "nothing"),
    "an unknown action": ("/api/v1/explain?person=alice@example.com&server=search&action=fly", 400, "fly"),
    "a search for nothing": ("/api/v1/search/people", 400, "server"),
    "a search for nobody": ("/api/v1/search/servers", 400, "person"),
}


@pytest.mark.parametrize(("path", "status", "named"), BAD.values(), ids=BAD)
def test_a_bad_question_is_told_what_is_wrong(service: User, path: str, status: int, named: str) -> None:
    """By name."""
    found, body = get(caller(service), path)
    assert status == found
    assert named in body["detail"]


@pytest.mark.parametrize("path", ADDRESSES)
def test_each_address_needs_its_scope(service: User, path: str) -> None:
    """No key, nonsense, a key without the scope, a suspended service: refused, and never led to a login page."""
    assert 401 == get(Client(), path)[0]
    assert 401 == get(Client(headers={"authorization": "Bearer ghk_nonsense"}), path)[0]
    assert 403 == get(caller(service, "groups:check"), path)[0]
    client = caller(service)
    assert 200 == get(client, path)[0]
    assert 405 == client.post(path).status_code
    people.suspend(service, by=BY)
    assert 403 == get(client, path)[0]


def test_every_answer_is_dated_and_may_be_demanded_newer(service: User) -> None:
    """A revision that does not exist yet is waited for by the caller, not answered with an older one."""
    client = caller(service)
    now = str(Revision.objects.get())
    answer = client.get(ADDRESSES[0], headers={"authz-at-least": now})
    assert (200, now) == (answer.status_code, answer["Authz-Revision"])
    epoch, number = now.split(".")
    later = client.get(ADDRESSES[0], headers={"authz-at-least": f"{epoch}.{int(number) + 1}"})
    assert (503, "1") == (later.status_code, later["Retry-After"])
    assert 503 == client.get(ADDRESSES[0], headers={"authz-at-least": f"00000000.{number}"}).status_code
    assert 400 == client.get(ADDRESSES[0], headers={"authz-at-least": "yesterday"}).status_code
