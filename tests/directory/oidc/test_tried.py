"""The test button: what is wrong with a provider is said before anybody signs in."""

import pytest

from authz.changes import sources
from authz.directory.oidc.tried import tried
from authz.models import Source
from tests.directory.oidc.cast import BY, okta
from tests.directory.oidc.provider import SECRET

pytestmark = pytest.mark.django_db


def wrong(source: Source) -> dict[str, str]:
    return {each.what: each.words for each in tried(source) if not each.fine}


def test_all_is_well(provider):
    found = {each.what: each for each in tried(okta(provider))}
    assert ["Discovery", "Signatures", "PKCE", "Scopes", "Keys", "Client and secret", "Signing out"] == list(found)
    assert all(each.fine for each in found.values())
    assert "/oidc/okta/callback" in found["Client and secret"].words
    assert "/oidc/okta/backchannel-logout" in found["Signing out"].words


def test_a_wrong_secret_is_found_without_a_person(provider):
    source = okta(provider, secret="wrong")
    assert "does not accept them (invalid_client)" in wrong(source)["Client and secret"]
    assert {} == wrong(sources.edit(source, secret=SECRET, by=BY))


SAID = {
    "another issuer": ({"issuer": "https://idp.example.com"}, "Reaching the provider", "calls itself"),
    "other algorithms": ({"id_token_signing_alg_values_supported": ["HS256"]}, "Signatures", "allowed are RS256"),
    "plain PKCE alone": ({"code_challenge_methods_supported": ["plain"]}, "PKCE", "not S256"),
    "a scope that it has not": ({"scopes_supported": ["openid", "email"]}, "Scopes", "does not know profile"),
}


@pytest.mark.parametrize(("said", "what", "words"), SAID.values(), ids=SAID)
def test_what_it_announces_is_compared_with_the_settings(provider, said, what, words):
    source = okta(provider)
    provider.metadata |= said
    assert words in wrong(source)[what]


BROKEN = {
    "/.well-known/openid-configuration": ("Reaching the provider", "answered 404"),
    "/jwks": ("Keys", "answered 404"),
    "/token": ("Client and secret", "answered 404 to a code"),
}


@pytest.mark.parametrize(("path", "words"), BROKEN.items(), ids=BROKEN)
def test_what_does_not_answer_is_named(provider, path, words):
    provider.breaks[path] = (404, b"", {})
    assert words[1] in wrong(okta(provider))[words[0]]


def test_an_assurance_that_it_never_gives_is_named(provider):
    provider.metadata["acr_values_supported"] = ["pwd"]
    assert "never says mfa" in wrong(okta(provider, required_acr=["mfa"]))["Assurance"]


def test_nobody_there_is_said(provider):
    source = okta(provider)
    provider.stop()
    assert "cannot be reached" in wrong(source)["Reaching the provider"]


def test_a_provider_without_ways_to_sign_out_is_fine_and_said(provider):
    provider.metadata |= {"end_session_endpoint": None, "backchannel_logout_supported": False}
    found = {each.what: each for each in tried(okta(provider))}["Signing out"]
    assert found.fine
    assert "no end_session_endpoint" in found.words
    assert "re-checks alone" in found.words
