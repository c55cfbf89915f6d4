"""Issuers are trusted, changed, switched off and removed."""

import json

import pytest

from authz.changes import issuers
from authz.models import Issuer
from tests.admin.cast import BY
from tests.admin.screen import errors, kinds_since, revision, told

PUBLIC = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "one"}
GOOD = {
    "name": "Corp",
    "issuer": "https://idp.example.com",
    "audiences": "gatehouse\n\nother",
    "claim": "email",
    "jwks_url": "https://idp.example.com/jwks",
}


@pytest.fixture
def corp():
    return issuers.trust(
        name="Corp",
        issuer="https://idp.example.com",
        audiences=["gatehouse"],
        jwks=json.dumps({"keys": [PUBLIC]}),
        by=BY,
    )


def test_an_issuer_is_trusted_with_safe_signatures(screen):
    assert 302 == screen.send("authz_issuer", "add", **GOOD).status_code

    issuer = Issuer.objects.get()
    assert (["gatehouse", "other"], ["RS256", "ES256", "EdDSA"], True) == (
        issuer.audiences,
        issuer.algorithms,
        issuer.enabled,
    )


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        ({"audiences": " \n "}, "audiences", "Name at least one"),
        ({"issuer": " "}, "issuer", "required"),
        ({"name": ""}, "name", "required"),
        ({"algorithms": ["HS256"]}, "algorithms", "valid choice"),
        ({"algorithms": []}, "algorithms", "required"),
        ({"jwks_url": "http://idp.example.com/jwks"}, "jwks_url", "not an https address"),
        ({"jwks_url": "http://localhost.evil.example.com/jwks"}, "jwks_url", "not an https address"),
        ({"jwks_url": "https://[bad"}, "jwks_url", "not an https address"),
        ({"jwks_url": ""}, "jwks_url", "Give the address"),
        ({"jwks": json.dumps({"keys": [PUBLIC]})}, "jwks", "not both"),
        ({"jwks_url": "", "jwks": "no JSON"}, "jwks", "not JSON"),
        ({"jwks_url": "", "jwks": json.dumps({"keys": [PUBLIC | {"d": "secret"}]})}, "jwks", "secret key"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(screen, sent, field, said):
    before = revision()
    found = errors(screen.send("authz_issuer", "add", **GOOD | sent))

    assert [field] == list(found)
    assert said in found[field][0]
    assert before == revision()


@pytest.mark.parametrize("field", ["name", "issuer"])
def test_one_that_is_trusted_already_is_refused(screen, corp, field):
    other = {"name": "Other", "issuer": "https://other.example.com"} | {field: getattr(corp, field)}

    assert [field] == list(errors(screen.send("authz_issuer", "add", **GOOD | other)))


def test_switching_off_and_changing_are_told_apart(screen, corp):
    entries = told()
    screen.send("authz_issuer", "change", corp.pk, enabled=[], audiences="gatehouse\nchat")

    corp.refresh_from_db()
    assert (False, ["gatehouse", "chat"]) == (corp.enabled, corp.audiences)
    assert ["issuer.changed", "issuer.disabled"] == kinds_since(entries)


def test_saving_without_a_change_writes_nothing(screen, corp):
    entries = told()

    assert 302 == screen.send("authz_issuer", "change", corp.pk).status_code
    assert [] == kinds_since(entries)


def test_an_issuer_is_removed(screen, corp):
    assert 302 == screen.act("authz_issuer", "remove_selected", corp).status_code
    assert 0 == Issuer.objects.count()
