"""What Entra and Okta really send, to the letter."""

from typing import Any

import pytest

from tests.directory.scim.pushing import ENTERPRISE, PATCH, USER, person

pytestmark = pytest.mark.django_db


def test_entra_says_false_in_a_text(okta: Any) -> None:
    """Python calls it true; whoever left is refused all the same."""
    key = okta.user("alice")
    sent = (
        '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],'
        '"Operations":[{"op":"Replace","path":"active","value":"False"}]}'
    )
    answer = okta.ask("PATCH", f"Users/{key}", sent)
    assert (200, False) == (answer.status_code, answer.said["active"])
    assert not person("alice").is_active


BOOLEANS = [
    ("True", True),
    ("TRUE", True),
    ("true", True),
    (True, True),
    ("False", False),
    ("fAlse", False),
    (False, False),
]


@pytest.mark.parametrize(("sent", "active"), BOOLEANS)
def test_a_boolean_may_be_a_text(okta: Any, sent: object, active: bool) -> None:
    """In any case of letters, and wherever it stands."""
    assert active == okta.get(f"Users/{okta.user('bob', active=sent)}").said["active"]
    assert active == person("bob").is_active
    key = okta.user("alice", active=not active)
    for operation in (
        {"path": "active", "value": sent},
        {"value": {"active": sent}},
        {"path": f"{USER}:active", "value": sent},
    ):
        okta.patch(f"Users/{key}", {"op": "replace", "path": "active", "value": not active})
        okta.patch(f"Users/{key}", {"op": "Replace"} | operation)
        assert active == person("alice").is_active


@pytest.mark.parametrize("sent", ["no", "0", "", "falsch", 0, 1, [], {}, "F", "off"])
def test_anything_else_is_no_boolean(okta: Any, sent: object) -> None:
    """It is refused, and not guessed at."""
    key = okta.user("alice")
    for answer in (
        okta.patch(f"Users/{key}", {"op": "Replace", "path": "active", "value": sent}),
        okta.patch(f"Users/{key}", {"op": "replace", "value": {"active": sent}}),
        okta.ask("PUT", f"Users/{key}", {"schemas": [USER], "userName": "alice@example.com", "active": sent}),
        okta.ask("POST", "Users", {"schemas": [USER], "userName": "bob@example.com", "active": sent}),
    ):
        assert (400, "invalidValue") == (answer.status_code, answer.said.get("scimType")), answer.said
        assert "active" in answer.said["detail"]
    assert person("alice").is_active


def test_entra_changes_an_address_and_a_number(okta: Any) -> None:
    """Of a URN, and of an e-mail that is there, or is not there yet."""
    key = okta.user("alice")
    operations = (
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "updatedEmail@microsoft.com"},
        {"op": "Replace", "path": f"{ENTERPRISE}:employeeNumber", "value": "Eqpj"},
    )
    said = okta.patch(f"Users/{key}", *operations).said
    assert [{"value": "updatedEmail@microsoft.com", "type": "work"}] == said["emails"]
    assert {"employeeNumber": "Eqpj"} == said[ENTERPRISE]
    operations[0]["value"] = "again@microsoft.com"
    said = okta.patch(f"Users/{key}", *operations).said
    assert [{"value": "again@microsoft.com", "type": "work"}] == said["emails"]


def test_entra_with_its_newer_flag(okta: Any) -> None:
    """`aadOptscim062020`: no path, dotted keys, and paths with a filter as keys."""
    key = okta.user("alice", name={"givenName": "Alice", "familyName": "A"})
    value = {
        "displayName": "Bjfe",
        "name.givenName": "Kkom",
        "name.familyName": "Unua",
        'emails[type eq "work"].value': "alice@corp.local",
        f"{ENTERPRISE}:employeeNumber": "Aklq",
        "active": False,
    }
    said = okta.patch(f"Users/{key}", {"op": "replace", "value": value}).said
    assert ("Bjfe", {"givenName": "Kkom", "familyName": "Unua"}, False) == (
        said["displayName"], said["name"], said["active"],
    )  # fmt: skip
    assert ([{"value": "alice@corp.local", "type": "work"}], {"employeeNumber": "Aklq"}) == (
        said["emails"], said[ENTERPRISE],
    )  # fmt: skip
    assert ("Bjfe", False) == (person("alice").name, person("alice").is_active)


TOLERATED: dict[str, tuple[dict[str, Any], str, Any]] = {
    "a manager by id": (
        {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": "m1"},
        ENTERPRISE,
        {"manager": {"value": "m1"}},
    ),
    "a manager in a list": (
        {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": [{"value": "m1"}]},
        ENTERPRISE,
        {"manager": {"value": "m1"}},
    ),
    "a manager below the URN": (
        {"op": "Add", "value": {ENTERPRISE: {"manager": "m1"}}},
        ENTERPRISE,
        {"manager": {"value": "m1"}},
    ),
    "a role that does not exist": (
        {"op": "Add", "path": 'roles[primary eq "True"].value', "value": "admin"},
        "roles",
        [{"value": "admin", "primary": True}],
    ),
    "a remove that says what it removes": ({"op": "Remove", "path": "title", "value": "Intern"}, "title", None),
    "a path in other letters": ({"op": "REPLACE", "path": "TITLE", "value": "Lead"}, "title", "Lead"),
    "a path that is null": ({"op": "Replace", "path": None, "value": {"title": "Lead"}}, "title", "Lead"),
    "an attribute of a schema that nobody knows": (
        {"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:acme:2.0:User:shoeSize", "value": "43"},
        "shoeSize",
        None,
    ),
    "a password": ({"op": "Replace", "path": "password", "value": "secret"}, "password", None),
    "a path that is the schema": ({"op": "Replace", "path": USER, "value": {"title": "Lead"}}, "title", "Lead"),
    "an unknown attribute beside a known": ({"op": "Add", "value": {"shoeSize": 43, "title": "Lead"}}, "title", "Lead"),
    "one of several phone numbers": (
        {"op": "Remove", "path": "phoneNumbers", "value": [{"value": "1"}]},
        "phoneNumbers",
        [{"value": "2", "type": "work"}],
    ),
    "a new primary number": (
        {"op": "Add", "path": "phoneNumbers", "value": [{"value": "3", "primary": "True"}]},
        "phoneNumbers",
        [{"value": "1", "primary": False}, {"value": "2", "type": "work"}, {"value": "3", "primary": True}],
    ),
}


@pytest.mark.parametrize(("operation", "name", "expected"), TOLERATED.values(), ids=TOLERATED)
def test_what_is_tolerated(okta: Any, operation: dict[str, Any], name: str, expected: Any) -> None:
    """Beyond the standard, and with one meaning only."""
    numbers = [{"value": "1", "primary": "True"}, {"value": "2", "type": "work"}]
    key = okta.user("alice", title="Intern", phoneNumbers=numbers)
    answer = okta.patch(f"Users/{key}", operation)
    assert 200 == answer.status_code, answer.said
    assert expected == answer.said.get(name)


def test_operations_in_other_letters(okta: Any) -> None:
    """Names of attributes have no case (RFC 7643 §2.1)."""
    key = okta.user("alice")
    sent = {"Schemas": [PATCH], "operations": [{"Op": "Replace", "Path": "active", "Value": "False"}]}
    assert 200 == okta.ask("PATCH", f"Users/{key}", sent).status_code
    assert not person("alice").is_active


def test_okta_looks_around_first(okta: Any) -> None:
    """Its probe, whose numbers must be numbers, and its question whether somebody is there."""
    for name in ("alice", "bob", "eve"):
        okta.user(name)
    said = okta.ask("GET", "Users?startIndex=1&count=2").said
    assert (3, 1, 2, 2) == (said["totalResults"], said["startIndex"], said["itemsPerPage"], len(said["Resources"]))
    said = okta.get("Users", filter='userName eq "ALICE@example.com"', startIndex="1", count="100").said
    assert (1, "alice@example.com") == (said["totalResults"], said["Resources"][0]["userName"])
    said = okta.get("Users", filter='userName eq "nobody@example.com"').said
    assert (0, 0, []) == (said["totalResults"], said["itemsPerPage"], said["Resources"])


def test_okta_deactivates_without_a_path(okta: Any) -> None:
    """And activates again."""
    key = okta.user("alice")
    for active in (False, True):
        sent = {"schemas": [PATCH], "Operations": [{"op": "replace", "value": {"active": active}}]}
        assert 200 == okta.ask("PATCH", f"Users/{key}", sent).status_code
        assert active == person("alice").is_active


def test_okta_creates_somebody(okta: Any) -> None:
    """With everything it sends; a password is neither kept nor told."""
    sent = {
        "schemas": [USER],
        "userName": "test.user@okta.example",
        "name": {"givenName": "Test", "familyName": "User"},
        "emails": [{"primary": True, "value": "test.user@okta.example", "type": "work"}],
        "displayName": "Test User",
        "locale": "en-US",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "password": "1mz050nq",
        "active": True,
    }
    answer = okta.ask("POST", "Users", sent)
    assert 201 == answer.status_code, answer.said
    expected = {name: value for name, value in sent.items() if name not in {"password", "groups"}}
    assert expected == {name: value for name, value in answer.said.items() if name not in {"id", "meta"}}
    again = okta.ask("POST", "Users", sent)
    assert (409, "409") == (again.status_code, again.said["status"])


def test_entra_asks_for_a_work_address(okta: Any) -> None:
    """By a filter that is not one of the standard."""
    okta.user("alice", emails=[{"value": "a@corp.local", "type": "work"}])
    okta.user("bob", emails=[{"value": "a@corp.local", "type": "home"}])
    assert ["alice@example.com"] == okta.found(filter='emails[type eq "work"].value eq "A@corp.local"')
    expected = ["alice@example.com", "bob@example.com"]
    assert (
        expected == okta.found(filter='emails.value eq "a@corp.local"') == okta.found(filter='emails eq "a@corp.local"')
    )
    okta.user("eve", externalId="e-1")
    assert ["eve@example.com"] == okta.found(filter='externalId eq "e-1"')
    assert [] == okta.found(filter='externalId eq "E-1"')
