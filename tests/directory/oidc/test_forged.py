"""ID tokens that nobody should believe, sent by a provider whose keys and clock the test holds."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from joserfc.jwk import ECKey

from authz.directory.oidc import id_token
from authz.models import Session, User
from tests.credentials.issuer import key_for, signed
from tests.directory.oidc.cast import okta, sign_in
from tests.directory.oidc.provider import ALICE, SECRET, Provider

pytestmark = pytest.mark.django_db
Claims = dict[str, Any]


def encoded(part: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def by_hand(claims: Claims, secret: bytes = b"", **header: Any) -> str:
    """Return a token whose header no library would write, with an HMAC of it by a secret."""
    body = f"{encoded({'alg': 'ES256', 'kid': key_for('ES256').kid} | header)}.{encoded(claims)}"
    return f"{body}.{urlsafe_b64encode(hmac.digest(secret, body.encode(), 'sha256')).decode().rstrip('=')}"


def without(*names: str) -> Callable[[Claims], Claims]:
    return lambda claims: {name: value for name, value in claims.items() if name not in names}


STRANGER = ECKey.generate_key("P-256", {"kid": key_for("ES256").kid, "use": "sig"})
PEM = key_for("ES256").as_pem(private=False)
CLAIMS: dict[str, tuple[str, Callable[[Claims], Claims]]] = {
    "of another issuer": ("another issuer", lambda claims: claims | {"iss": "https://evil.example.com"}),
    "of the issuer with a slash": ("another issuer", lambda claims: claims | {"iss": claims["iss"] + "/"}),
    "of no issuer": ("another issuer", without("iss")),
    "for another client": ("somebody else", lambda claims: claims | {"aud": "chat"}),
    "for nobody": ("somebody else", without("aud")),
    "for an audience that is no text": ("somebody else", lambda claims: claims | {"aud": [1, "gatehouse"]}),
    "for two without a party": ("issued to somebody else", lambda claims: claims | {"aud": ["gatehouse", "chat"]}),
    "for two, issued to the other": (
        "issued to somebody else",
        lambda claims: claims | {"aud": ["gatehouse", "chat"], "azp": "chat"},
    ),
    "for us, issued to another": ("issued to somebody else", lambda claims: claims | {"azp": "chat"}),
    "expired": ("expired", lambda claims: claims | {"iat": time.time() - 600, "exp": time.time() - 60}),
    "that never expires": ("expired", without("exp")),
    "that expires in words": ("expired", lambda claims: claims | {"exp": "tomorrow"}),
    "that expires yes": ("expired", lambda claims: claims | {"exp": True}),
    "issued at no time": ("when it was issued", without("iat")),
    "issued a minute from now": ("not good yet", lambda claims: claims | {"iat": time.time() + 60}),
    "not good for a minute yet": ("not good yet", lambda claims: claims | {"nbf": time.time() + 60}),
    "with another nonce": ("another sign-in", lambda claims: claims | {"nonce": "x" * 32}),
    "without a nonce": ("another sign-in", without("nonce")),
    "with a nonce that is no text": ("another sign-in", lambda claims: claims | {"nonce": [claims["nonce"]]}),
    "about nobody": ("names nobody", without("sub")),
    "about an empty subject": ("names nobody", lambda claims: claims | {"sub": ""}),
    "about a number": ("names nobody", lambda claims: claims | {"sub": 1}),
    "about too long a subject": ("names nobody", lambda claims: claims | {"sub": "x" * 256}),
    "about a subject with a line break": ("names nobody", lambda claims: claims | {"sub": "alice\n1"}),
    "about a subject with half a character": ("names nobody", lambda claims: claims | {"sub": "alice\ud800"}),
    "of a session with half a character": ("cannot be read", lambda claims: claims | {"sid": "\ud800"}),
    "of a session with NUL": ("cannot be read", lambda claims: claims | {"sid": "\x00"}),
    "with another access token's hash": ("another access token", lambda claims: claims | {"at_hash": "AAAA"}),
    "that is a logout token": ("logout token", lambda claims: claims | {"events": {}}),
    "with an e-mail not verified": ("not verified", lambda claims: claims | {"email_verified": False}),
    "with an e-mail nobody speaks of": ("not verified", without("email_verified")),
    "with an e-mail verified in words": ("not verified", lambda claims: claims | {"email_verified": "yes"}),
    "without an e-mail": ("no e-mail", without("email")),
    "with an e-mail that is no text": ("no e-mail", lambda claims: claims | {"email": ["alice@example.com"]}),
}
SIGNATURES: dict[str, tuple[str, Callable[[Claims], Any]]] = {
    "not signed": ("in a way", lambda claims: f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(claims)}."),
    "not signed, in capitals": ("in a way", lambda claims: f"{encoded({'alg': 'NONE'})}.{encoded(claims)}."),
    "with its signature cut off": ("signature", lambda claims: signed(claims).rpartition(".")[0] + "."),
    "signed with the client's secret": ("in a way", lambda claims: by_hand(claims, SECRET.encode(), alg="HS256")),
    "signed with the public key as a secret": ("in a way", lambda claims: by_hand(claims, PEM, alg="HS256")),
    "signed by a stranger's key": ("signature", lambda claims: signed(claims, key=STRANGER)),
    "signed by an unknown key": ("signature", lambda claims: signed(claims, key=STRANGER, kid="unknown")),
    "signed by a key it brings along": (
        "signature",
        lambda claims: signed(claims, key=STRANGER, jwk=STRANGER.as_dict(private=False)),
    ),
    "signed by an algorithm we do not allow": ("in a way", lambda claims: signed(claims, "PS256")),
    "with a header that must be understood": ("in a way", lambda claims: by_hand(claims, crit=["exp"])),
    "with a key named by a number": ("something other", lambda claims: by_hand(claims, kid=7)),
    "that is an access token": ("another type", lambda claims: signed(claims, typ="at+jwt")),
    "that says it is a logout token": ("another type", lambda claims: signed(claims, typ="logout+jwt")),
    "with other claims than were signed": (
        "signature",
        lambda claims: signed(claims).replace(encoded(claims)[:30], encoded(claims | {"iss": "x"})[:30]) + "x",
    ),
    "encrypted": ("not a signed JWT", lambda _: "a.b.c.d.e"),
    "that is no token": ("not a signed JWT", lambda _: "x"),
    "missing": ("not a signed JWT", lambda _: None),
    "that is a number": ("not a signed JWT", lambda _: 7),
    "too long": ("not a signed JWT", lambda claims: signed(claims | {"padding": "x" * 70_000})),
}


def refused(provider: Provider, words: str) -> None:
    answer = sign_in(Client(), provider)
    assert 403 == answer.status_code
    assert words in answer.content.decode()
    assert (0, 0) == (User.objects.count(), Session.objects.count())


@pytest.mark.parametrize(("words", "alter"), CLAIMS.values(), ids=CLAIMS)
def test_a_token_that_says_what_it_should_not_is_refused(provider, words, alter):
    okta(provider)
    provider.alter = alter
    refused(provider, words)


@pytest.mark.parametrize(("words", "sign"), SIGNATURES.values(), ids=SIGNATURES)
def test_a_token_that_is_signed_as_it_should_not_be_is_refused(provider, words, sign):
    okta(provider)
    provider.sign = sign
    refused(provider, words)


GOOD: dict[str, Callable[[Claims], Claims]] = {
    "from a clock 20 s ahead": lambda claims: claims | {"iat": time.time() + 20, "nbf": time.time() + 20},
    "that expired 20 s ago": lambda claims: claims | {"exp": time.time() - 20},
    "for several audiences, issued to us": lambda claims: claims | {"aud": ["chat", "gatehouse"], "azp": "gatehouse"},
    "with the access token's hash": lambda claims: claims | {"at_hash": id_token.at_hash("access", "ES256")},
    "with an e-mail verified as a text": lambda claims: claims | {"email_verified": "true"},
    "with half characters where nobody looks": lambda claims: (
        claims | {"locale": "\ud800", "acr": "\ud800", "amr": ["\ud800"], "name": "\ud800", "\ud800": 1}
    ),
    "with claims that are malformed and unused": lambda claims: claims | {"amr": "pwd", "acr": 1, "sid": 2, "name": 3},
}


@pytest.mark.parametrize("alter", GOOD.values(), ids=GOOD)
def test_a_token_within_the_rules_is_believed(provider, alter):
    okta(provider)
    provider.alter = alter
    assert 302 == sign_in(Client(), provider).status_code
    assert "alice@example.com" == User.objects.get().email


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "ES384", "EdDSA"])
def test_every_algorithm_that_is_allowed_is_understood(provider, algorithm):
    provider.key = key_for(algorithm)
    provider.published = [key_for("ES256"), provider.key]
    provider.sign = lambda claims: signed(claims | {"at_hash": id_token.at_hash("access", algorithm)}, algorithm)
    okta(provider, algorithms=[algorithm])
    assert 302 == sign_in(Client(), provider).status_code


@pytest.mark.parametrize(("acr", "status"), [("mfa", 302), ("phrh", 302), ("pwd", 403), (None, 403), (["mfa"], 403)])
def test_the_assurance_that_is_required_must_be_told(provider, acr, status):
    okta(provider, required_acr=["mfa", "phrh"])
    assert status == sign_in(Client(), provider, ALICE | {"acr": acr}).status_code


def test_a_hash_of_the_standard_s_own_example():
    """Core 1.0 §A.3."""
    assert "77QmUPtjPfzWtF2AnpK9RQ" == id_token.at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", "RS256")


def test_a_provider_that_names_no_key_has_all_of_its_keys_tried(provider):
    okta(provider)
    provider.published = [ECKey.generate_key("P-256", {"kid": "first"}), provider.key]
    provider.sign = lambda claims: signed(claims, kid=None)
    assert 302 == sign_in(Client(), provider).status_code


def test_an_e_mail_need_not_be_verified_where_the_settings_say_so(provider):
    """As for Entra, which does not say."""
    okta(provider, requires_verified_email=False)
    assert 302 == sign_in(Client(), provider, {"sub": "alice-1", "email": "alice@example.com"}).status_code
