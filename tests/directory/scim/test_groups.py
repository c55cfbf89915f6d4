"""`/Groups`: who is in them, as a provisioning client says it."""

from typing import Any

import pytest

from authz.changes import groups, sources
from authz.models import ForeignGroup, Group, Nesting
from tests.directory.scim.pushing import BY, GROUP, everything, groups_of, person

pytestmark = pytest.mark.django_db
Cast = dict[str, str]


@pytest.fixture
def cast(okta: Any) -> Cast:
    """Return the ids of the people we know, and of the groups they are in."""
    ids = {name: okta.user(name) for name in ("alice", "bob", "eve")}
    ids["engineering"] = okta.group("engineering", ids["alice"], ids["bob"])
    ids["sales"] = okta.group("sales", externalId="g-2")
    return ids


def test_a_group_is_created_and_read_back(okta: Any, cast: Cast) -> None:
    """Its members by id, address and type; theirs is a membership here."""
    answer = okta.get(f"Groups/{cast['engineering']}")
    at = "http://127.0.0.1:8000/scim/v2"
    expected = [{"value": cast[name], "$ref": f"{at}/Users/{cast[name]}", "type": "User"} for name in ("alice", "bob")]
    assert ("engineering", expected) == (
        answer.said["displayName"],
        sorted(answer.said["members"], key=expected.index),
    )
    assert ("scim:okta", {"engineering"}) == (Group.objects.get(name="engineering").source, groups_of("alice"))
    shown = okta.get(f"Users/{cast['alice']}").said["groups"]
    there = {"value": cast["engineering"], "$ref": f"{at}/Groups/{cast['engineering']}", "display": "engineering"}
    assert [there] == shown
    said = okta.get(f"Groups/{cast['sales']}").said
    assert ("g-2", None) == (said["externalId"], said.get("members"))


E, A, B, V = "engineering", "alice", "bob", "eve"
Operations = list[dict[str, Any]]


def some(*names: str) -> list[dict[str, str]]:
    """Return a list of members in which names stand for ids."""
    return [{"value": f"<{name}>"} for name in names]


CHANGES: dict[str, tuple[Operations, set[str]]] = {
    "Entra removes one": ([{"op": "Remove", "path": "members", "value": some(A)}], {B}),
    "Entra removes several": ([{"op": "Remove", "path": "members", "value": some(A, B)}], set()),
    "Entra removes one by a filter": ([{"op": "remove", "path": 'members[value eq "<alice>"]'}], {B}),
    "one by a filter in other letters": ([{"op": "REMOVE", "path": 'Members[Value EQ "<alice>"]'}], {B}),
    "two by a filter": ([{"op": "remove", "path": 'members[value eq "<alice>" or value eq "<bob>"]'}], set()),
    "by a path with the URN": ([{"op": "remove", "path": f'{GROUP}:members[value eq "<alice>"]'}], {B}),
    "by a path with a space": ([{"op": "remove", "path": 'members [ value eq "<alice>" ]'}], {B}),
    "by a path that compares": ([{"op": "remove", "path": 'members.value eq "<alice>"'}], {B}),
    "by the schema and no path": ([{"op": "add", "path": GROUP, "value": {"members": some(V)}}], {A, B, V}),
    "somebody who is not in it": ([{"op": "Remove", "path": "members", "value": some(V)}], {A, B}),
    "somebody who never was": ([{"op": "Remove", "path": "members", "value": [{"value": "nobody"}]}], {A, B}),
    "an empty list removes nobody": ([{"op": "Remove", "path": "members", "value": []}], {A, B}),
    "without a value all of them go": ([{"op": "remove", "path": "members"}], set()),
    "Entra adds one": ([{"op": "Add", "path": "members", "value": some(V)}], {A, B, V}),
    "one that is not in a list": ([{"op": "add", "path": "members", "value": some(V)[0]}], {A, B, V}),
    "one who is in it already": ([{"op": "add", "path": "members", "value": some(A)}], {A, B}),
    "one twice": ([{"op": "add", "path": "members", "value": some(V, V)}], {A, B, V}),
    "Okta adds without a path": ([{"op": "add", "value": {"members": some(V)}}], {A, B, V}),
    "Okta replaces all": ([{"op": "replace", "path": "members", "value": some(V)}], {V}),
    "without a path": ([{"op": "replace", "value": {"members": some(V), "displayName": "engineering"}}], {V}),
    "by nobody": ([{"op": "replace", "path": "members", "value": []}], set()),
    "one after the other": (
        [
            {"op": "add", "path": "members", "value": some(V)},
            {"op": "remove", "path": "members", "value": some(A, V)},
            {"op": "add", "path": "members", "value": some(A)},
        ],
        {A, B},
    ),
    "all, and then some": (
        [
            {"op": "remove", "path": "members"},
            {"op": "add", "path": "members", "value": some(B)},
            {"op": "add", "path": "members", "value": some(V)},
            {"op": "remove", "path": "members", "value": some(B)},
        ],
        {V},
    ),
}


def spelled(thing: Any, cast: Cast) -> Any:
    """Return a body in which names have become ids."""
    if isinstance(thing, str):
        for name, key in cast.items():
            thing = thing.replace(f"<{name}>", key)
        return thing
    if isinstance(thing, list):
        return [spelled(each, cast) for each in thing]
    return {name: spelled(each, cast) for name, each in thing.items()} if isinstance(thing, dict) else thing


@pytest.mark.parametrize(("operations", "expected"), CHANGES.values(), ids=CHANGES)
def test_who_is_in_it_after_a_patch(okta: Any, cast: Cast, operations: Operations, expected: set[str]) -> None:
    """There, and in the group of ours that mirrors it."""
    answer = okta.patch(f"Groups/{cast[E]}", *spelled(operations, cast))
    assert 200 == answer.status_code, answer.said
    assert {cast[name] for name in expected} == okta.members(cast[E])
    assert expected == {name for name in (A, B, V) if E in groups_of(name)}


REFUSED: dict[str, tuple[Operations, str]] = {
    "somebody unknown": ([{"op": "add", "path": "members", "value": [{"value": "nobody"}]}], "nobody"),
    "no id": ([{"op": "add", "path": "members", "value": [{"display": "Alice"}]}], "members"),
    "a text": ([{"op": "add", "path": "members", "value": "<alice>"}], "members"),
    "nothing": ([{"op": "add", "path": "members"}], "members"),
    "all by a text": ([{"op": "replace", "path": "members", "value": ""}], "members"),
    "all by zero": ([{"op": "replace", "path": "members", "value": 0}], "members"),
    "all by false": ([{"op": "replace", "path": "members", "value": False}], "members"),
    "all by an object": ([{"op": "replace", "path": "members", "value": {}}], "members"),
    "all by null": ([{"op": "replace", "path": "members", "value": None}], "members"),
    "all by nothing": ([{"op": "replace", "path": "members"}], "members"),
    "all by null and without a path": ([{"op": "replace", "value": {"members": None}}], "members"),
    "a remove without a path": ([{"op": "remove", "value": {"members": None}}], "path"),
    "an attribute that there is not": ([{"op": "remove", "path": "member", "value": some(A)}], "member"),
    "a path that is none": ([{"op": "remove", "path": 'Group:members[value eq "<alice>"]'}], "path"),
    "NUL in a path": ([{"op": "remove", "path": 'members[value eq "\\u0000"]'}], "U+0000"),
    "too many in a path": (
        [{"op": "remove", "path": "members[" + " or ".join(['value eq "x"'] * 51) + "]"}], "51",
    ),
    "a value to remove that is none": ([{"op": "remove", "path": "members", "value": [{}]}], "members"),
    "another filter": ([{"op": "remove", "path": 'members[display eq "Alice"]'}], "id"),
    "no filter at all": ([{"op": "remove", "path": "members[]"}], "members[]"),
    "half a filter": ([{"op": "remove", "path": "members[value eq"}], "members[value eq"),
    "a part of a member": ([{"op": "replace", "path": 'members[value eq "<alice>"].display', "value": "x"}], "member"),
    "an operation that there is not": ([{"op": "jump", "path": "members", "value": some(A)}], "jump"),
    "the group itself": ([{"op": "add", "path": "members", "value": some(E)}], "itself"),
    "no name": ([{"op": "remove", "path": "displayName"}], "required"),
    "an empty name": ([{"op": "replace", "path": "displayName", "value": "  "}], "empty"),
    "what is good before what is not": (
        [{"op": "remove", "path": "members"}, {"op": "replace", "path": "displayName", "value": "x" * 201}], "201",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("operations", "named"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_changes_nothing(okta: Any, cast: Cast, operations: Operations, named: str) -> None:
    """And says what it is about."""
    before = everything()
    answer = okta.patch(f"Groups/{cast[E]}", *spelled(operations, cast))
    assert 400 == answer.status_code, answer.said
    assert named in answer.said["detail"]
    assert before == everything()


def test_a_replacement_says_all_or_nothing_of_members(okta: Any, cast: Cast) -> None:
    """Left out, they stay: a client that only renames empties no group. An empty list is said, and means it."""
    said = {"schemas": [GROUP], "displayName": "builders"}
    for more in ({}, {"members": None}):
        assert 200 == okta.ask("PUT", f"Groups/{cast[E]}", said | more).status_code
        assert ({cast[A], cast[B]}, {"builders"}) == (okta.members(cast[E]), groups_of(A))
    okta.ask("PUT", f"Groups/{cast[E]}", said | {"members": [{"value": cast[V]}]})
    assert {cast[V]} == okta.members(cast[E])
    okta.ask("PUT", f"Groups/{cast[E]}", said | {"members": []})
    assert set() == okta.members(cast[E])


def test_groups_in_groups(okta: Any, cast: Cast) -> None:
    """Are members like people."""
    okta.patch(f"Groups/{cast[E]}", {"op": "add", "path": "members", "value": [{"value": cast["sales"]}]})
    assert ["sales"] == list(Nesting.objects.values_list("child__name", flat=True))
    said = okta.get(f"Groups/{cast[E]}").said["members"]
    assert {"User", "Group"} == {each["type"] for each in said}
    okta.patch(f"Groups/{cast[E]}", {"op": "Remove", "path": "members", "value": [{"value": cast["sales"]}]})
    assert ({cast[A], cast[B]}, False) == (okta.members(cast[E]), Nesting.objects.exists())
    key = okta.group("all", cast[E], cast[V])
    assert {cast[E], cast[V]} == okta.members(key)
    okta.patch(f"Groups/{key}", {"op": "remove", "path": "members"})
    assert (set(), False) == (okta.members(key), Nesting.objects.exists())


def test_a_group_that_is_removed_takes_its_memberships_along(okta: Any, cast: Cast) -> None:
    """And is found no more."""
    assert 204 == okta.ask("DELETE", f"Groups/{cast[E]}").status_code
    assert (set(), 404, ["sales"]) == (groups_of(A), okta.get(f"Groups/{cast[E]}").status_code, okta.found("Groups"))
    assert 404 == okta.ask("DELETE", f"Groups/{cast[E]}").status_code
    assert okta.group("engineering", cast[A])


def test_whoever_is_removed_is_in_no_group(okta: Any, cast: Cast) -> None:
    """Nor after coming back."""
    okta.ask("DELETE", f"Users/{cast[A]}")
    assert {cast[B]} == okta.members(cast[E])
    okta.user("alice")
    assert ({cast[B]}, set()) == (okta.members(cast[E]), groups_of(A))


def test_a_group_of_ours_is_not_taken_over(okta: Any) -> None:
    """Until a rule says that it is meant."""
    ours = groups.create(name="admins", by=BY)
    said = {"schemas": [GROUP], "displayName": "Admins"}
    before = everything()
    answer = okta.ask("POST", "Groups", said)
    assert (409, "uniqueness") == (answer.status_code, answer.said["scimType"])
    assert before == everything()
    sources.add_rule(okta.source, group=ours, kind="group", pattern="admins", by=BY)
    alice = okta.user("alice")
    answer = okta.ask("POST", "Groups", said | {"members": [{"value": alice}]})
    assert (201, {"admins"}) == (answer.status_code, groups_of("alice"))
    okta.patch(f"Groups/{answer.said['id']}", {"op": "remove", "path": "members", "value": [{"value": alice}]})
    assert set() == groups_of("alice")


def test_two_groups_of_one_name_that_a_rule_means_hold_up_nobody(okta: Any) -> None:
    """The rule fits none of them, which is for an administrator to mend: a leaver is deactivated all the same."""
    sources.add_rule(okta.source, group=groups.create(name="admins", by=BY), kind="group", pattern="admins", by=BY)
    alice = okta.user("alice")
    okta.group("admins")
    okta.group("admins")
    assert 200 == okta.patch(f"Users/{alice}", {"op": "replace", "path": "active", "value": False}).status_code
    assert okta.group("sales", alice)


def test_a_name_is_taken_once(okta: Any, cast: Cast) -> None:
    """At creation and at a change."""
    before = everything()
    assert 409 == okta.ask("POST", "Groups", {"schemas": [GROUP], "displayName": "Engineering"}).status_code
    rename = {"op": "replace", "path": "displayName", "value": "engineering"}
    assert 409 == okta.patch(f"Groups/{cast['sales']}", rename).status_code
    assert before == everything()


def test_a_version_tells_members_apart(okta: Any, cast: Cast) -> None:
    """One more, one fewer, and as many but others."""
    seen = [okta.get(f"Groups/{cast[E]}")["ETag"]]
    for op, name in (("add", V), ("remove", A), ("add", A), ("remove", V), ("add", "sales"), ("remove", "sales")):
        before = seen[-1]
        member = {"op": op, "path": "members", "value": [{"value": cast[name]}]}
        assert 412 == okta.patch(f"Groups/{cast[E]}", member, If_Match='W/"1"').status_code
        seen.append(okta.patch(f"Groups/{cast[E]}", member, If_Match=before)["ETag"])
    assert len(seen[:-1]) == len(set(seen[:-1]))
    assert (
        seen[-1] == okta.get(f"Groups/{cast[E]}")["ETag"] == okta.get("Groups").said["Resources"][0]["meta"]["version"]
    )


def test_a_source_sees_and_touches_no_group_but_its_own(okta: Any, entra: Any, cast: Cast) -> None:
    """And puts nobody in one who is another source's, nor another's group."""
    mine = entra.group("support", mallory := entra.user("mallory"))
    before = everything()
    for method, body in (("GET", None), ("PUT", {"schemas": [GROUP], "displayName": "x"}), ("DELETE", None)):
        assert 404 == entra.ask(method, f"Groups/{cast[E]}", body).status_code
    assert 404 == entra.patch(f"Groups/{cast[E]}", {"op": "remove", "path": "members"}).status_code
    for foreign in (cast[A], cast[E]):
        add = {"op": "add", "path": "members", "value": [{"value": mallory}, {"value": foreign}]}
        put = {"schemas": [GROUP], "displayName": "support", "members": [{"value": foreign}]}
        for answer in (entra.patch(f"Groups/{mine}", add), entra.ask("PUT", f"Groups/{mine}", put)):
            assert (400, "invalidValue") == (answer.status_code, answer.said["scimType"])
            assert foreign in answer.said["detail"]
    assert ["support"] == entra.found("Groups")
    assert [] == entra.found("Groups", filter=f'members eq "{cast[A]}"')
    assert [] == entra.found("Groups", filter=f'id eq "{cast[E]}"')
    assert before == everything()


def test_a_circle_is_taken_over_as_it_is(okta: Any, cast: Cast) -> None:
    """Everybody in it is in all of it."""
    for parent, child in ((E, "sales"), ("sales", E)):
        answer = okta.patch(
            f"Groups/{cast[parent]}", {"op": "add", "path": "members", "value": [{"value": cast[child]}]}
        )
        assert 200 == answer.status_code
    assert 2 == Nesting.objects.count()


def test_a_prefix_is_only_ours(okta: Any) -> None:
    """The client reads its own name."""
    sources.edit(okta.source, settings=okta.source.settings | {"group_prefix": "okta-"}, by=BY)
    key = okta.group("ops", okta.user("alice"))
    assert ("ops", {"okta-ops"}) == (okta.get(f"Groups/{key}").said["displayName"], groups_of("alice"))
    assert person("alice").is_active
    assert 1 == ForeignGroup.objects.count()
