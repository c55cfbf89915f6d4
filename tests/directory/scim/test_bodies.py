"""Bodies that cannot be taken as they are: each is told what is wrong, and changes nothing."""

import json
from typing import Any

import pytest

from authz.api.scim.body import LARGE, SMALL
from tests.directory.scim.pushing import ENTERPRISE, GROUP, PATCH, USER, everything, person

pytestmark = pytest.mark.django_db
ALICE = {"schemas": [USER], "userName": "alice@example.com"}


def with_(**more: Any) -> dict[str, Any]:
    """Return Alice with something about her."""
    return ALICE | more


BODIES: dict[str, tuple[Any, int, str, str]] = {
    "nothing": (b"", 400, "invalidSyntax", "JSON"),
    "no JSON": (b"userName=alice", 400, "invalidSyntax", "JSON"),
    "half of it": (b'{"schemas": [', 400, "invalidSyntax", "JSON"),
    "no object": (b"[]", 400, "invalidSyntax", "object"),
    "a text": (b'"alice"', 400, "invalidSyntax", "object"),
    "invalid UTF-8": (b'{"userName": "al\xff\xfeice"}', 400, "invalidSyntax", "UTF-8"),
    "UTF-16": ('{"userName": "alice"}'.encode("utf-16"), 400, "invalidSyntax", "UTF-8"),
    "too deep": (b"[" * 100_000, 400, "invalidSyntax", "deep"),
    "too deep an object": (b'{"a":' * 50_000, 400, "invalidSyntax", "deep"),
    "no number": (b'{"x": NaN}', 400, "invalidSyntax", "NaN"),
    "too long a number": (b'{"x": ' + b"9" * 10_000 + b"}", 400, "invalidSyntax", "JSON"),
    "the same twice": (b'{"active": true, "Active": false}', 400, "invalidSyntax", "'Active'"),
    "the same twice inside": (b'{"name": {"givenName": "a", "givenName": "b"}}', 400, "invalidSyntax", "twice"),
    "too large": (b'{"x": "' + b"x" * SMALL + b'"}', 413, "", str(SMALL)),
    "a schema of something else": (with_(schemas=[GROUP]), 400, "invalidSyntax", USER),
    "schemas that are no list": (with_(schemas=USER), 400, "invalidValue", "schemas"),
    "no userName": ({"schemas": [USER], "displayName": "Alice"}, 400, "invalidValue", "userName"),
    "an empty userName": (with_(userName=""), 400, "invalidValue", "userName"),
    "a number for a text": (with_(userName=5), 400, "invalidValue", "userName"),
    "a text for a list": (with_(emails="a@example.com"), 400, "invalidValue", "emails"),
    "a text for an object": (with_(name="Alice"), 400, "invalidValue", "name"),
    "two primaries": (with_(emails=[{"value": n, "primary": True} for n in "ab"]), 400, "invalidValue", "primary"),
    "NUL in a name": (with_(displayName="Al\0ice"), 400, "invalidValue", "displayName"),
    "NUL inside": (with_(name={"givenName": "Al\0"}), 400, "invalidValue", "name.givenName"),
    "NUL in what is ignored": (with_(shoe="\0"), 400, "invalidValue", "shoe"),
    "NUL in a key": (with_(**{"shoe\0": 1}), 400, "invalidValue", "attribute"),
    "half a character": (b'{"userName": "\\ud800@example.com"}', 400, "invalidValue", "userName"),
    "a character that cannot be shown": (with_(displayName="Al\u202eice"), 400, "invalidValue", "U+202E"),
    "a name over length": (with_(displayName="x" * 201), 400, "invalidValue", "201"),
    "a userName over length": (
        with_(userName="x" * 300, emails=[{"value": "a@example.com"}]),
        400,
        "invalidValue",
        "300",
    ),
    "an address that looks like another": (with_(userName="al\u212ace@example.com"), 400, "invalidValue", "look like"),
    "more values than anybody has": (
        with_(roles=[{"value": str(n)} for n in range(201)]),
        400,
        "invalidValue",
        "201",
    ),
    "several at once": (with_(active="so so", title=7), 400, "invalidValue", "title"),
}


@pytest.mark.parametrize(("sent", "status", "keyword", "named"), BODIES.values(), ids=BODIES)
def test_a_body_is_refused(okta: Any, sent: Any, status: int, keyword: str, named: str) -> None:
    """At creation and at replacement."""
    key = okta.user("bob")
    before = everything()
    for method, path in (("POST", "Users"), ("PUT", f"Users/{key}")):
        answer = okta.ask(method, path, sent)
        assert (status, keyword) == (answer.status_code, answer.said.get("scimType", "")), answer.said
        assert named in answer.said["detail"]
        assert "Authz-Revision" not in answer
    assert before == everything()


# fmt: off
PATCHES: dict[str, tuple[Any, str, str]] = {
    "no operations": ({"schemas": [PATCH]}, "invalidSyntax", "Operations"),
    "an empty list of them": ({"schemas": [PATCH], "Operations": []}, "invalidSyntax", "Operations"),
    "no list": ({"schemas": [PATCH], "Operations": {"op": "add"}}, "invalidSyntax", "Operations"),
    "no objects": ({"schemas": [PATCH], "Operations": ["add"]}, "invalidSyntax", "Operations"),
    "too many": ([{"op": "add", "path": "title", "value": "x"}] * 101, "invalidValue", "101"),
    "too many values": ([{"op": "add", "path": "roles", "value": [{"value": str(n)} for n in range(201)]}],
                        "invalidValue", "201"),
    "too many values, one after the other": (
        [{"op": "add", "path": "roles", "value": [{"value": f"{n}-{m}"} for n in range(51)]} for m in range(4)],
        "invalidValue", "204",
    ),
    "too many comparisons": (
        [{"op": "remove", "path": "roles[" + " or ".join(["value eq 1"] * 51) + "]"}], "tooMany", "51",
    ),
    "too many comparisons in several paths": (
        [{"op": "remove", "path": "roles[" + " or ".join(["value eq 1"] * 34) + "]"}] * 3, "tooMany", "102",
    ),
    "an attribute that there is not": ([{"op": "replace", "path": "activ", "value": False}], "invalidPath", "activ"),
    "one that an extension has not": (
        [{"op": "replace", "path": f"{ENTERPRISE}:shoeSize", "value": 43}], "invalidPath", "shoeSize",
    ),
    "NUL in a path": ([{"op": "replace", "path": 'emails[type eq "\\u0000"].value', "value": "a@b.org"}],
                      "invalidValue", "type"),
    "half a character in a path": ([{"op": "replace", "path": 'emails[type eq "\\ud800"].value', "value": "a@b.org"}],
                                   "invalidValue", "type"),
    "NUL in a key that is a path": ([{"op": "replace", "value": {'emails[type eq "\\u0000"].value': "a@b.org"}}],
                                    "invalidValue", "type"),
    "an unknown one": ([{"op": "jump", "path": "title", "value": "x"}], "invalidValue", "jump"),
    "none": ([{"path": "title", "value": "x"}], "invalidValue", "op"),
    "a path that is none": ([{"op": "add", "path": "title[", "value": "x"}], "invalidPath", "syntax"),
    "a path that is no text": ([{"op": "add", "path": 5, "value": "x"}], "invalidPath", "path"),
    "a filter that is none": ([{"op": "add", "path": 'emails[type xx "a"]', "value": {}}], "invalidPath", ""),
    "a remove of everything": ([{"op": "remove"}], "noTarget", "path"),
    "an add of nothing": ([{"op": "add", "path": "title"}], "invalidValue", "value"),
    "a text for nobody's attribute": ([{"op": "replace", "value": "x"}], "invalidValue", "object"),
    "the id": ([{"op": "replace", "path": "id", "value": "x"}], "mutability", "id"),
    "the groups": ([{"op": "add", "path": "groups", "value": [{"value": "x"}]}], "mutability", "groups"),
    "the name that must be": ([{"op": "remove", "path": "userName"}], "mutability", "required"),
    "a number for a text": ([{"op": "replace", "path": "title", "value": 7}], "invalidValue", "title"),
    "what is good before what is not": (
        [{"op": "replace", "path": "active", "value": False}, {"op": "add", "path": "name", "value": "x"}],
        "invalidValue",
        "name",
    ),
    "NUL in a value": ([{"op": "replace", "path": "title", "value": "a\0b"}], "invalidValue", "value"),
    "an address that is none": ([{"op": "replace", "path": "userName", "value": "nobody"}], "invalidValue", "userName"),
}
# fmt: on


@pytest.mark.parametrize(("sent", "keyword", "named"), PATCHES.values(), ids=PATCHES)
def test_a_patch_is_refused(okta: Any, sent: Any, keyword: str, named: str) -> None:
    """All of it, however much of it was good."""
    key = okta.user("alice", title="Intern")
    before = everything()
    body = {"schemas": [PATCH], "Operations": sent} if isinstance(sent, list) else sent
    answer = okta.ask("PATCH", f"Users/{key}", body)
    assert (400, keyword) == (answer.status_code, answer.said.get("scimType")), answer.said
    assert named in answer.said["detail"]
    assert "pydantic" not in answer.said["detail"]
    assert before == everything()


def test_what_nobody_knows_is_ignored(okta: Any) -> None:
    """RFC 7644 §3.3: unknown attributes and extensions, and no schemas at all."""
    said = {
        "userName": "alice@example.com",
        "shoeSize": 43,
        "urn:example:acme:2.0:User": {"badge": "1"},
        "password": "secret",
    }
    for body in (said, said | {"schemas": [USER, "urn:example:acme:2.0:User"], "userName": "bob@example.com"}):
        answer = okta.ask("POST", "Users", body)
        assert 201 == answer.status_code, answer.said
        assert {"schemas", "id", "meta", "userName", "active"} == set(answer.said)
        assert [USER] == answer.said["schemas"]
    assert b"secret" not in okta.get("Users").content


def test_a_group_may_be_large(okta: Any) -> None:
    """But not larger than anybody can need."""
    many = [{"value": f"{n:036}"} for n in range(20_000)]
    answer = okta.ask("POST", "Groups", {"schemas": [GROUP], "displayName": "x", "members": many})
    assert (400, "invalidValue") == (answer.status_code, answer.said["scimType"])
    assert len(answer.said["detail"]) < 500
    answer = okta.ask("POST", "Groups", json.dumps({"displayName": "x" * LARGE}))
    assert (413, "413") == (answer.status_code, answer.said["status"])


def test_text_in_any_script_is_read_back(okta: Any) -> None:
    """As it was written, and found."""
    key = okta.user("alice", displayName="Ἀλίκη 愛莉絲 👩🏽", title='"quoted" \\ 100%', externalId="É-1")
    said = okta.get(f"Users/{key}").said
    assert ("Ἀλίκη 愛莉絲 👩🏽", '"quoted" \\ 100%', "É-1") == (said["displayName"], said["title"], said["externalId"])
    assert "Ἀλίκη 愛莉絲 👩🏽" == person("alice").name
    for text in ('displayName eq "ἈΛΊΚΗ 愛莉絲 👩🏽"', r'title eq "\"quoted\" \\ 100%"', 'externalId eq "É-1"'):
        assert ["alice@example.com"] == okta.found(filter=text)
    assert 400 == okta.get("Users", filter='userName eq "a\0"').status_code
