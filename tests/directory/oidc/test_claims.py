"""Which person and which groups come out of what a provider says."""

from typing import Any

import pytest

from authz.directory.oidc.claims import lacks, told, unknown_of
from authz.errors import NotAllowed
from authz.formats.sources import OidcSettings

ALICE = {"sub": "1", "email": "alice@example.com", "email_verified": True, "name": "Alice"}


def settings(**more: Any) -> OidcSettings:
    return OidcSettings.model_validate({"issuer": "https://idp.example.com", "client_id": "x"} | more)


GROUPS: dict[str, tuple[dict[str, Any], dict[str, Any], set[str] | None]] = {
    "a list": ({"groups": ["a", "b"]}, {}, {"a", "b"}),
    "one text": ({"groups": "a"}, {}, {"a"}),
    "none": ({"groups": []}, {"groups": ["b"]}, set()),
    "in userinfo": ({}, {"groups": ["b"]}, {"b"}),
    "in both": ({"groups": ["a"]}, {"groups": ["b"]}, {"a"}),
    "nowhere": ({}, {}, set()),
    "too many for Entra to tell": ({"_claim_names": {"groups": "src1"}}, {}, None),
    "an object": ({"groups": {"a": 1}}, {}, None),
    "a list with other things in it": ({"groups": ["a", 1, None, "", "x" * 300, "b\x00"]}, {}, {"a"}),
    "with spaces around": ({"groups": [" a ", "a"]}, {}, {"a"}),
}


@pytest.mark.parametrize(("claims", "userinfo", "expected"), GROUPS.values(), ids=GROUPS)
def test_groups_are_a_list_of_names_and_what_is_not_told_is_not_none(claims, userinfo, expected):
    found = told(ALICE | claims, userinfo, settings())
    assert (None if expected is None else frozenset(expected)) == found.person.groups
    assert (expected or set()) == {group.name for group in found.groups.values()}


@pytest.mark.parametrize(("name", "claims"), [
    ("realm_access.roles", {"realm_access": {"roles": ["a"]}}),
    ("https://example.com/groups", {"https://example.com/groups": ["a"]}),
    ("roles", {"roles": ["a"]}),
])  # fmt: skip
def test_the_claim_may_have_another_name_or_a_path(name, claims):
    wanted = settings(groups_claim=name)
    assert frozenset({"a"}) == told(ALICE | claims, {}, wanted).person.groups
    assert frozenset() == unknown_of(claims, wanted)


def test_a_path_that_leads_nowhere_is_no_group():
    found = told(ALICE | {"realm_access": 7}, {}, settings(groups_claim="realm_access.roles"))
    assert frozenset() == found.person.groups


def test_without_a_claim_for_groups_nothing_is_said_of_them():
    assert told(ALICE | {"groups": ["a"]}, {}, settings(groups_claim="")).person.groups is None


EMAILS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "verified in the token": ({"email": "a@x.org", "email_verified": True}, {}, "a@x.org"),
    "verified in userinfo": ({}, {"email": "a@x.org", "email_verified": True}, "a@x.org"),
    "of which only userinfo speaks": ({"email": "a@x.org"}, {"email": "b@x.org", "email_verified": True}, "b@x.org"),
    "not verified": ({"email": "a@x.org", "email_verified": False}, {}, ""),
    "refused by the token": (
        {"email": "a@x.org", "email_verified": False},
        {"email": "a@x.org", "email_verified": True},
        "",
    ),
    "verified elsewhere": ({"email": "a@x.org"}, {"email_verified": True}, ""),
    "of which nobody speaks": ({"email": "a@x.org"}, {}, ""),
    "verified by a number": ({"email": "a@x.org", "email_verified": 2}, {}, ""),
    "missing": ({"email_verified": True}, {}, ""),
    "empty": ({"email": " ", "email_verified": True}, {}, ""),
    "with a line break": ({"email": "a@x.org\n", "email_verified": True}, {}, ""),
}


@pytest.mark.parametrize(("claims", "userinfo", "expected"), EMAILS.values(), ids=EMAILS)
def test_an_e_mail_is_believed_where_it_was_verified(claims, userinfo, expected):
    try:
        found = told({"sub": "1"} | claims, userinfo, settings()).person.email
    except NotAllowed:
        found = ""
    assert expected == found


VOUCHED = {"email": "alice@example.com", "email_verified": True}
OTHERS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "the same": (VOUCHED | {"upn": "Alice@Example.com"}, {}, "Alice@Example.com"),
    "the same, in two documents": ({"upn": "alice@example.com"}, VOUCHED, "alice@example.com"),
    "somebody else's": (VOUCHED | {"upn": "carol@example.com"}, {}, ""),
    "somebody else's, in userinfo": (VOUCHED, {"upn": "carol@example.com"}, ""),
    "the same and not verified": (VOUCHED | {"upn": "alice@example.com", "email_verified": False}, {}, ""),
    "alone": ({"upn": "carol@example.com", "email_verified": True}, {}, ""),
    "missing": (VOUCHED, {}, ""),
}


@pytest.mark.parametrize(("claims", "userinfo", "expected"), OTHERS.values(), ids=OTHERS)
def test_a_provider_vouches_for_one_claim_and_no_other(claims, userinfo, expected):
    """email_verified is about `email` (Core 1.0 §5.1): anybody may call themselves carol@example.com elsewhere."""
    try:
        found = told({"sub": "1"} | claims, userinfo, settings(email_claim="upn")).person.email
    except NotAllowed:
        found = ""
    assert expected == found


def test_an_e_mail_may_stand_in_another_claim():
    wanted = settings(email_claim="upn", requires_verified_email=False)
    assert "a@x.org" == told({"sub": "1", "upn": "a@x.org"}, {}, wanted).person.email


def test_kept_claims_become_attributes_as_texts_under_small_letters():
    said = {"Department": "R&D", "level": 7, "remote": True, "teams": ["a", {"b": 1}, "c\n"], "nested": {"a": 1}}
    found = told(ALICE | said, {}, settings(kept_claims=["Department", "level", "remote", "teams", "nested", "gone"]))
    expected = {"department": ("R&D",), "level": ("7",), "remote": ("true",), "teams": ("a",)}
    assert expected | {"nested": (), "gone": ()} == found.person.attributes
    assert ["some of the claim teams is too long, or has control characters"] == [each.why for each in found.problems]


def test_every_claim_is_checked_used_ignored_or_reported():
    said = {"iss": "x", "amr": [], "locale": "en", "clearance": "top", "department": "R&D", "x\x00": 1}
    found = told(ALICE | said, {"shoe_size": 43}, settings(kept_claims=["department"]))
    assert {"clearance", "shoe_size", "x\x00"} == found.unknown
    assert ("clearance", "shoe_size") == found.person.attributes["unknown_claims"]


def test_userinfo_is_worth_asking_for_what_the_token_lacks():
    whole = ALICE | {"groups": []}
    assert not lacks(whole, settings())
    assert lacks(ALICE, settings())
    assert not lacks(ALICE, settings(groups_claim=""))
    assert lacks(whole, settings(kept_claims=["department"]))
    without = {"sub": "1", "email": "alice@example.com", "name": "Alice", "groups": []}
    assert lacks(without, settings())
    assert lacks({"upn": "alice@example.com"} | without, settings(email_claim="upn"))
    assert not lacks(without, settings(requires_verified_email=False))
