"""Whoever is deactivated by a provisioning client is refused at once; a client that goes mad is stopped."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from authz.changes import administrators, api_keys, grants, people, proxies, runs, servers, sessions, sources
from authz.lookups.current import CURRENT
from authz.models import Group, Run, Session, Source
from tests.directory.scim.pushing import BY, GROUP, PATCH, USER, everything, groups_of, person
from tests.patience import HANG
from tests.people import SEARCH_URL, SECRET, ask, bearer

HOURS = timedelta(hours=9)
OFF = {"op": "Replace", "path": "active", "value": "False"}
END: dict[str, Any] = {
    "Entra": lambda okta, key: okta.patch(f"Users/{key}", OFF),
    "Okta": lambda okta, key: okta.patch(f"Users/{key}", {"op": "replace", "value": {"active": False}}),
    "a replacement": lambda okta, key: okta.ask(
        "PUT", f"Users/{key}", {"schemas": [USER], "userName": "alice@example.com", "active": False}
    ),
    "a removal": lambda okta, key: okta.ask("DELETE", f"Users/{key}"),
}


@pytest.fixture
def alice(okta: Any) -> dict[str, str]:
    """Return Alice's id and what she shows: she is signed in, has a key, and may use search by a group of Okta's."""
    proxies.trust(name="nginx", secret=SECRET, by=BY)
    key = okta.user("alice")
    okta.group("engineering", key)
    search = servers.create(name="search", kind="mcp", by=BY)
    servers.add_route(search, host="mcp.example.com", prefix="/search", by=BY)
    grants.give(server=search, group=Group.objects.get(name="engineering"), by=BY)
    begun = sessions.begin(
        person=person("alice"), device="tests", address="192.0.2.7", lifetime=HOURS, idle=HOURS, by=BY
    )
    issued = api_keys.issue(person=person("alice"), name="laptop", scopes=["use"], by=BY)
    return {"id": key, "session": begun.token, "key": issued.text}


def answers(alice: dict[str, str]) -> list[int]:
    """Return what the proxy is answered about her session and her key."""
    cookie = {"Cookie": f"gatehouse={alice['session']}"}
    return [ask(SEARCH_URL, cookie).status, ask(SEARCH_URL, bearer(alice["key"])).status]


@pytest.mark.django_db
@pytest.mark.parametrize("end", END.values(), ids=END)
def test_a_leaver_is_refused_by_the_next_answer(okta: Any, alice: dict[str, str], end: Any) -> None:
    """Session and key with them; whoever comes back signs in anew, and has the key again."""
    assert [200, 200] == answers(alice)
    assert end(okta, alice["id"]).status_code in {200, 204}
    session, key = answers(alice)
    assert session in {401, 403}
    assert 403 == key
    assert 0 == Session.objects.filter(ended_at=None).count()


@pytest.mark.django_db
def test_whoever_is_taken_out_of_a_group_loses_what_it_gave(okta: Any, alice: dict[str, str]) -> None:
    """And nothing else."""
    (group,) = (each["id"] for each in okta.get("Groups").said["Resources"])
    okta.patch(f"Groups/{group}", {"op": "Remove", "path": "members", "value": [{"value": alice["id"]}]})
    assert [403, 403] == answers(alice)
    okta.patch(f"Groups/{group}", {"op": "Add", "path": "members", "value": [{"value": alice["id"]}]})
    assert [200, 200] == answers(alice)


@pytest.mark.django_db(transaction=True)
def test_a_client_that_suspends_too_many_is_stopped(okta: Any) -> None:
    """It is told why and to come back; an administrator who approves lets the next attempt through."""
    sources.edit(okta.source, settings={"free_number": 2, "most_share": 0}, by=BY)
    keys = [okta.user(name) for name in ("alice", "bob", "eve", "mallory")]
    assert [200, 200] == [okta.patch(f"Users/{key}", OFF).status_code for key in keys[:2]]
    before = everything()
    answer = okta.patch(f"Users/{keys[2]}", OFF)
    assert (503, "300", "503") == (answer.status_code, answer["Retry-After"], answer.said["status"])
    assert "approval by an administrator" in answer.said["detail"]
    assert "people would be suspended" in answer.said["detail"]
    assert before == everything()
    assert 503 == okta.ask("DELETE", f"Users/{keys[2]}").status_code
    assert before == everything()
    assert True is okta.get(f"Users/{keys[2]}").said["active"]
    # What harms nobody goes on meanwhile.
    assert 200 == okta.patch(f"Users/{keys[2]}", {"op": "replace", "path": "title", "value": "x"}).status_code
    assert Run.objects.filter(state=Run.WAITING).exists()
    for run in Run.objects.filter(state=Run.WAITING):
        runs.approve(run, by=BY)
    assert 200 == okta.patch(f"Users/{keys[2]}", OFF).status_code
    assert not person("eve").is_active


@pytest.mark.django_db(transaction=True)
def test_a_group_is_not_emptied_by_mistake(okta: Any) -> None:
    """A remove without a value is about everybody (RFC 7644 §3.5.2.2), and so waits."""
    sources.edit(okta.source, settings={"free_number": 2}, by=BY)
    names = ("alice", "bob", "eve", "mallory")
    group = okta.group("engineering", *(okta.user(name) for name in names))
    for act in (
        lambda: okta.patch(f"Groups/{group}", {"op": "remove", "path": "members"}),
        lambda: okta.ask("PUT", f"Groups/{group}", {"schemas": [GROUP], "displayName": "engineering", "members": []}),
        lambda: okta.ask("DELETE", f"Groups/{group}"),
    ):
        answer = act()
        assert (503, 4) == (answer.status_code, len(okta.members(group))), answer.said
        assert {"engineering"} == groups_of("alice")


@pytest.mark.django_db(transaction=True)
def test_the_last_administrator_stays(okta: Any) -> None:
    """Until there is another one."""
    key = okta.user("carol")
    administrators.make_administrator(person("carol"), by=BY)
    for answer in (okta.patch(f"Users/{key}", OFF), okta.ask("DELETE", f"Users/{key}")):
        assert 503 == answer.status_code
        assert "carol@example.com" in answer.said["detail"]
        assert person("carol").is_active
    administrators.make_administrator(people.create(email="bob@example.com", by=BY), by=BY)
    CURRENT.forget()
    assert 200 == okta.patch(f"Users/{key}", OFF).status_code


@pytest.mark.django_db(transaction=True)
def test_what_was_switched_off_meanwhile_changes_nothing(okta: Any) -> None:
    """The directory is looked at again inside the change."""
    key = okta.user("alice")
    Source.objects.filter(pk=okta.source.pk).update(enabled=False)
    assert 403 == okta.patch(f"Users/{key}", OFF).status_code
    assert person("alice").is_active


def at_once(*acts: Any) -> list[Any]:
    """Return what several threads found that began at the same time."""
    found: list[Any] = [None] * len(acts)
    ready = threading.Barrier(len(acts))

    def work(number: int) -> None:
        ready.wait(HANG)
        try:
            found[number] = acts[number]()
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
        assert not thread.is_alive()
    return found


@pytest.mark.django_db(transaction=True)
def test_two_clients_at_once_lose_nothing(okta: Any) -> None:
    """Each adds its own to one group, and another attribute to one person."""
    names = [f"p{n}" for n in range(8)]
    keys = [okta.user(name) for name in names]
    group, alice = okta.group("engineering"), okta.user("alice")
    other = okta.group("sales", *keys)

    def push(number: int) -> list[int]:
        member = [{"value": keys[number]}]
        said = [
            okta.patch(f"Groups/{group}", {"op": "add", "path": "members", "value": member}),
            okta.patch(f"Groups/{other}", {"op": "Remove", "path": "members", "value": member}),
            okta.patch(f"Users/{alice}", {"op": "add", "path": "roles", "value": [{"value": f"r{number}"}]}),
            okta.patch(f"Groups/{group}", {"op": "replace", "path": "externalId", "value": f"g{number}"}),
        ]
        return [each.status_code for each in said]

    assert [[200] * 4] * 8 == at_once(*(lambda n=number: push(n) for number in range(8)))
    assert (set(keys), set()) == (okta.members(group), okta.members(other))
    assert {f"r{n}" for n in range(8)} == {each["value"] for each in okta.get(f"Users/{alice}").said["roles"]}
    assert all({"engineering"} == groups_of(name) for name in names)


@pytest.mark.django_db(transaction=True)
def test_one_name_is_created_once(okta: Any) -> None:
    """However many ask at the same time; and of those who demand a version, one has it."""
    body = {"schemas": [USER], "userName": "alice@example.com"}
    said = at_once(*[lambda: okta.ask("POST", "Users", body).status_code] * 6)
    assert [201, *[409] * 5] == sorted(said)
    key = okta.get("Users").said["Resources"][0]["id"]
    tag = okta.get(f"Users/{key}")["ETag"]

    def change(number: int) -> int:
        body = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "title", "value": str(number)}]}
        return int(okta.ask("PATCH", f"Users/{key}", body, If_Match=tag).status_code)

    assert [200, *[412] * 5] == sorted(at_once(*(lambda n=number: change(n) for number in range(6))))
