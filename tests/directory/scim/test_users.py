"""`/Users`: people created, read, changed and removed by a provisioning client."""

from typing import Any

import pytest

from audit.models import Entry
from authz.changes import people, sources
from authz.models import Identity, Revision, Source, User
from tests.directory.scim.pushing import BY, ENTERPRISE, USER, everything, person

pytestmark = pytest.mark.django_db
ALICE = {
    "schemas": [USER, ENTERPRISE],
    "userName": "Alice@Example.com",
    "externalId": "00u1",
    "name": {"givenName": "Alice", "familyName": "Ärlig"},
    "title": "Intern",
    "emails": [{"value": "alice@corp.local", "type": "work", "primary": True}],
    "roles": [{"value": "reader"}, {"value": "writer"}],
    ENTERPRISE: {"department": "Engineering", "manager": {"value": "m1"}},
}


def test_somebody_is_created_and_read_back_as_written(okta: Any) -> None:
    """Beside what the client wrote stand id, meta, and that she is active."""
    answer = okta.ask("POST", "Users", ALICE)
    said, key = answer.said, answer.said["id"]
    assert (201, "application/scim+json") == (answer.status_code, answer["Content-Type"])
    assert f"http://127.0.0.1:8000/scim/v2/Users/{key}" == answer["Location"] == said["meta"]["location"]
    assert ('W/"1"', "User") == (answer["ETag"], said["meta"]["resourceType"])
    assert ALICE | {"active": True} == {name: value for name, value in said.items() if name not in {"id", "meta"}}
    assert said == okta.get(f"Users/{key}").said
    row = person("alice")
    assert ("Alice Ärlig", True, "scim:okta", key) == (row.name, row.is_active, row.source, row.external_id)
    assert str(Revision.objects.get()) == answer["Authz-Revision"]


def test_rules_see_what_a_client_says(okta: Any) -> None:
    """Simple texts, by their names in lower case."""
    key = okta.ask("POST", "Users", ALICE).said["id"]
    expected = {
        "username": ["Alice@Example.com"], "externalid": ["00u1"], "title": ["Intern"], "department": ["Engineering"],
        "roles": ["reader", "writer"], "manager": ["m1"],
    }  # fmt: skip
    assert expected == Identity.objects.get(external_id=key).attributes


EMAILS: dict[str, tuple[dict[str, Any], str]] = {
    "userName, whatever else there is": (ALICE, "alice@example.com"),
    "an address that only exists inside": ({"userName": "alice@corp.internal"}, "alice@corp.internal"),
    "the primary one, if userName is none": (
        {
            "userName": "alice",
            "emails": [{"value": "a@b.example", "type": "work"}, {"value": "A@c.example", "primary": True}],
        },
        "a@c.example",
    ),
    "that of work, if none is primary": (
        {
            "userName": "alice",
            "emails": [{"value": "a@home.example", "type": "home"}, {"value": "a@b.example", "type": "work"}],
        },
        "a@b.example",
    ),
    "whatever there is": ({"userName": "alice", "emails": [{"value": "a@home.example"}]}, "a@home.example"),
}


@pytest.mark.parametrize(("said", "expected"), EMAILS.values(), ids=EMAILS)
def test_whose_address_it_is(okta: Any, said: dict[str, Any], expected: str) -> None:
    """People are known by e-mail here."""
    assert 201 == okta.ask("POST", "Users", {"schemas": [USER]} | said).status_code
    assert [expected] == list(User.objects.filter(source="scim:okta").values_list("email", flat=True))


def test_nobody_is_known_without_an_address(okta: Any) -> None:
    """Both places are named."""
    answer = okta.ask("POST", "Users", {"schemas": [USER], "userName": "alice", "emails": [{"value": "nonsense"}]})
    assert (400, "invalidValue") == (answer.status_code, answer.said["scimType"])
    assert "'alice'" in answer.said["detail"]
    assert "'nonsense'" in answer.said["detail"]


def test_a_name_is_taken_once(okta: Any) -> None:
    """In any case of letters, as userName or as address, at creation and at a change."""
    okta.user("alice")
    bob = okta.user("bob")
    before = everything()
    for said in ({"userName": "ALICE@example.com"}, {"userName": "a", "emails": [{"value": "alice@example.com"}]}):
        answer = okta.ask("POST", "Users", {"schemas": [USER]} | said)
        assert (409, "uniqueness") == (answer.status_code, answer.said["scimType"])
    for said in ({"userName": "ALICE@example.com"}, {"userName": "b", "emails": [{"value": "alice@example.com"}]}):
        assert 409 == okta.ask("PUT", f"Users/{bob}", {"schemas": [USER]} | said).status_code
        assert 409 == okta.patch(f"Users/{bob}", {"op": "replace", "value": said}).status_code
    assert before == everything()


def test_a_person_of_ours_is_not_taken_over(okta: Any) -> None:
    """Unless the directory is allowed to."""
    people.create(email="carol@example.com", by=BY)
    answer = okta.ask("POST", "Users", {"schemas": [USER], "userName": "carol@example.com"})
    assert (409, "uniqueness") == (answer.status_code, answer.said["scimType"])
    assert "carol@example.com" in answer.said["detail"]
    assert "local" not in answer.said["detail"]
    assert "local" == person("carol").source
    sources.edit(okta.source, settings=okta.source.settings | {"joins": "adopt"}, by=BY)
    assert 201 == okta.ask("POST", "Users", {"schemas": [USER], "userName": "carol@example.com"}).status_code
    assert "scim:okta" == person("carol").source


def test_a_directory_that_may_create_nobody(okta: Any) -> None:
    """Says so, and is not asked to choose another name."""
    sources.edit(okta.source, settings={"creates_people": False}, by=BY)
    answer = okta.ask("POST", "Users", {"schemas": [USER], "userName": "alice@example.com"})
    assert (403, False) == (answer.status_code, User.objects.filter(email="alice@example.com").exists())


def test_a_directory_that_may_create_nobody_renames_and_deactivates_whom_it_knows(okta: Any) -> None:
    """In one request as well, to a name that nobody had."""
    key = okta.user("alice")
    sources.edit(okta.source, settings={"creates_people": False}, by=BY)
    said = {"schemas": [USER], "userName": "alice.smith@example.com", "active": False}
    assert 200 == okta.ask("PUT", f"Users/{key}", said).status_code
    assert ("alice.smith@example.com", False) == User.objects.values_list("email", "is_active").get(external_id=key)
    assert 200 == okta.patch(f"Users/{key}", {"op": "replace", "value": {"userName": "al@example.com"}}).status_code
    assert "al@example.com" == User.objects.get(external_id=key).email


def test_a_replacement_without_active_suspends_nobody_and_restores_nobody(okta: Any) -> None:
    """What is not said of it stays; everything else that is not said goes."""
    key = okta.user("alice", title="Intern")
    said = {"schemas": [USER], "userName": "alice@example.com", "displayName": "Alice B"}
    answer = okta.ask("PUT", f"Users/{key}", said)
    assert (200, True, "Alice B", None) == (
        answer.status_code, answer.said["active"], person("alice").name, answer.said.get("title"),
    )  # fmt: skip
    okta.patch(f"Users/{key}", {"op": "replace", "path": "active", "value": False})
    for more in ({}, {"active": None}):
        assert False is okta.ask("PUT", f"Users/{key}", said | more).said["active"]
        assert not person("alice").is_active
    assert True is okta.ask("PUT", f"Users/{key}", said | {"active": "True"}).said["active"]
    assert person("alice").is_active


def test_a_removed_active_changes_nothing(okta: Any) -> None:
    """It is no longer read back, and she is let in as before."""
    key = okta.user("alice")
    answer = okta.patch(f"Users/{key}", {"op": "remove", "path": "active"})
    assert (200, None, True) == (answer.status_code, answer.said.get("active"), person("alice").is_active)


def test_whoever_is_removed_is_suspended_and_can_come_back(okta: Any) -> None:
    """As the same person, with the same id; in between there is nobody at that address."""
    key = okta.user("alice")
    assert (204, b"") == ((answer := okta.ask("DELETE", f"Users/{key}")).status_code, answer.content)
    assert not person("alice").is_active
    for method, body in (("GET", None), ("PUT", ALICE), ("DELETE", None)):
        assert 404 == okta.ask(method, f"Users/{key}", body).status_code
    assert 404 == okta.patch(f"Users/{key}", {"op": "replace", "path": "title", "value": "x"}).status_code
    assert [] == okta.found()
    assert key == okta.user("Alice", title="Back")
    assert (True, 1) == (person("alice").is_active, User.objects.filter(email="alice@example.com").count())
    assert ["Alice@example.com"] == okta.found()


GONE = {"userName": "jdoe", "emails": [{"value": "jdoe@example.com"}]}
SECOND: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "the same in everything": ({}, {}, "back"),
    "the same by the client's id": ({"externalId": "1"}, {"externalId": "1"}, "back"),
    "the same id and another e-mail": (
        {"externalId": "1"}, {"externalId": "1", "emails": [{"value": "joan@example.com"}]}, "back",
    ),
    "the same id and another name": ({"externalId": "1"}, {"externalId": "1", "userName": "joan"}, "back"),
    "another id": ({"externalId": "1"}, {"externalId": "2"}, "refused"),
    "an id where there was none": ({}, {"externalId": "1"}, "refused"),
    "no id where there was one": ({"externalId": "1"}, {}, "refused"),
    "the same e-mail under another name": ({}, {"userName": "jane"}, "refused"),
    "the same name with another e-mail": ({}, {"emails": [{"value": "jane@example.com"}]}, "new"),
    "another id and e-mail, and the name": (
        {"externalId": "1"}, {"externalId": "2", "emails": [{"value": "jane@example.com"}]}, "new",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), SECOND.values(), ids=SECOND)
def test_whoever_has_the_name_or_address_of_a_leaver(
    okta: Any, before: dict[str, Any], after: dict[str, Any], expected: str
) -> None:
    """Is the leaver come back only if that is certain: else the leaver's keys would open doors to somebody new."""
    first = okta.ask("POST", "Users", {"schemas": [USER]} | GONE | before).said["id"]
    okta.ask("DELETE", f"Users/{first}")
    answer = okta.ask("POST", "Users", {"schemas": [USER]} | GONE | after)
    found = {"back": (201, first, True), "new": (201, None, False), "refused": (409, None, False)}[expected]
    key = answer.said["id"] if answer.status_code == 201 and expected == "back" else None
    assert found == (answer.status_code, key, User.objects.get(external_id=first).is_active), answer.said


def test_a_change_needs_the_version_that_was_seen(okta: Any) -> None:
    """Weak tags, as all are; a version that is known is not sent again."""
    key = okta.user("alice")
    first = okta.get(f"Users/{key}")["ETag"]
    assert (304, b"") == ((answer := okta.ask("GET", f"Users/{key}", If_None_Match=first)).status_code, answer.content)
    change = {"op": "replace", "path": "title", "value": "Lead"}
    answer = okta.patch(f"Users/{key}", change, If_Match=first)
    assert (200, 'W/"2"') == (answer.status_code, answer["ETag"])
    assert 412 == okta.patch(f"Users/{key}", change, If_Match=first).status_code
    assert 412 == okta.ask("PUT", f"Users/{key}", ALICE, If_Match=first).status_code
    assert 412 == okta.ask("DELETE", f"Users/{key}", If_Match=f'{first}, "x"').status_code
    assert 200 == okta.ask("GET", f"Users/{key}", If_None_Match=first).status_code
    # What changes nothing is no new version.
    assert 'W/"2"' == okta.patch(f"Users/{key}", change, If_Match="*")["ETag"]
    assert 204 == okta.ask("DELETE", f"Users/{key}", If_Match='W/"2"').status_code


def test_what_happened_is_in_the_book(okta: Any) -> None:
    """By the service account of the directory."""
    key = okta.user("alice")
    okta.patch(f"Users/{key}", {"op": "replace", "path": "displayName", "value": "Al"})
    kinds = Entry.objects.filter(actor__contains="scim-okta@services.internal").values_list("kind", flat=True)
    assert ["person.created", "person.changed"] == list(kinds.order_by("pk"))


def test_a_source_sees_and_touches_nobody_else(okta: Any, entra: Any) -> None:
    """Neither by id nor in a list nor by a filter; both may know the same id by chance."""
    alice = okta.user("alice")
    bob = entra.user("bob")
    before = everything()
    for method, body in (("GET", None), ("PUT", ALICE), ("DELETE", None)):
        assert 404 == entra.ask(method, f"Users/{alice}", body).status_code
    assert 404 == entra.patch(f"Users/{alice}", {"op": "replace", "path": "active", "value": False}).status_code
    assert ["bob@example.com"] == entra.found()
    for filter_ in (
        f'id eq "{alice}"',
        'userName eq "alice@example.com"',
        'userName sw "a"',
        'title eq "x" or active eq true',
    ):
        assert "alice@example.com" not in entra.found(filter=filter_)
    assert [] == entra.ask("POST", "Users/.search", {"filter": f'id eq "{alice}"'}).said["Resources"]
    assert 409 == entra.ask("POST", "Users", {"schemas": [USER], "userName": "alice@example.com"}).status_code
    assert before == everything()
    assert bob == entra.get("Users").said["Resources"][0]["id"]


def test_a_linked_person_is_not_suspended_by_whom_they_do_not_belong_to(okta: Any, entra: Any) -> None:
    """A directory that joins people adds memberships; it neither renames nor suspends."""
    okta.user("alice")
    Source.objects.filter(pk=entra.source.pk).update(settings=entra.source.settings | {"joins": "link"})
    key = entra.user("alice", displayName="Somebody else")
    entra.patch(f"Users/{key}", {"op": "replace", "path": "active", "value": False})
    assert ("Alice", True) == (person("alice").name, person("alice").is_active)
    assert 204 == entra.ask("DELETE", f"Users/{key}").status_code
    assert person("alice").is_active
