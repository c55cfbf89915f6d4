"""A signed assertion says who is there, to whom, and for how long; anybody can check it with the published key."""

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet

from authz.decisions import facts as f
from tests.people import (
    ALICE,
    BOB,
    MALLORY,
    SEARCH_URL,
    ask,
    at,
    bearer,
    cookie,
    headers_of,
    judged,
    key,
    key_of,
    live_in,
    request,
    world,
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("house")
NOW = 1_760_000_000


def pem(made) -> str:
    raw = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return str(raw.decode())


KINDS = {"EdDSA": ed25519.Ed25519PrivateKey.generate, "ES256": lambda: ec.generate_private_key(ec.SECP256R1())}


@pytest.fixture(params=KINDS)
def algorithm(request, settings):
    settings.AUTHZ_ASSERTION_KEY = pem(KINDS[request.param]())
    return request.param


def published() -> KeySet:
    answer = judged(request({}, target="/.well-known/gatehouse/jwks.json"))
    assert 200 == answer.status
    return KeySet.import_key_set(json.loads(answer.body))


def told(answer, algorithm):
    """Return the claims of an answer, checked as an application would."""
    token = jwt.decode(headers_of(answer)["x-auth-assertion"], published(), algorithms=[algorithm])
    assert (algorithm, "JWT") == (token.header["alg"], token.header["typ"])
    return token.claims


def test_it_names_the_person_the_server_and_the_revision(algorithm, monkeypatch):
    with at(monkeypatch, NOW):
        claims = told(ask(SEARCH_URL, cookie(ALICE)), algorithm)
    assert {
        "iss": "http://127.0.0.1:8000", "aud": "search", "sub": "a" * 32, "email": "alice@example.com", "name": "Alice",
        "groups": ["Interns", "engineering", "users"], "iat": NOW, "exp": NOW + 60, "rev": "3f9c2a51.100",
    } == claims  # fmt: skip


def test_where_no_server_is_asked_for_it_is_meant_for_the_portal(algorithm):
    assert "http://127.0.0.1:8000" == told(ask(None, cookie(MALLORY)), algorithm)["aud"]


def test_it_never_outlives_the_allowance(algorithm, monkeypatch):
    live_in(world(key(ALICE, "use", until=NOW + 5.5)))
    with at(monkeypatch, NOW):
        assert NOW + 5 == told(ask(SEARCH_URL, bearer(key_of(ALICE))), algorithm)["exp"]


def test_a_remembered_one_is_still_good_for_most_of_its_life(algorithm, monkeypatch):
    """An answer is given again for a quarter of the lifetime, and signed anew after that."""
    for after, age in ((0, 0), (14, 14), (16, 0), (30, 14), (32, 0)):
        with at(monkeypatch, NOW + after):
            assert NOW + after - age == told(ask(SEARCH_URL, cookie(ALICE)), algorithm)["iat"]


def test_nobody_who_is_refused_is_asserted(algorithm):
    for answer in (ask(SEARCH_URL, cookie(BOB)), ask(SEARCH_URL)):
        assert "x-auth-assertion" not in headers_of(answer)


def test_another_key_does_not_check_it(algorithm):
    token = headers_of(ask(SEARCH_URL, cookie(ALICE)))["x-auth-assertion"]
    other = KINDS[algorithm]()
    with pytest.raises(BadSignatureError):
        jwt.decode(token, _public(other), algorithms=[algorithm])


def _public(made):
    from joserfc.jwk import ECKey, OKPKey  # noqa: PLC0415  one of the two

    kind = ECKey if isinstance(made, ec.EllipticCurvePrivateKey) else OKPKey
    return kind.import_key(pem(made))


def test_only_the_public_half_is_published(algorithm):
    answer = judged(request({}, target="/.well-known/gatehouse/jwks.json"))
    (shown,) = json.loads(answer.body)["keys"]
    assert not {"d", "k", "p", "q"} & set(shown)
    assert (algorithm, "sig") == (shown["alg"], shown["use"])


def test_without_a_key_nothing_is_signed_and_nothing_published():
    assert "x-auth-assertion" not in headers_of(ask(SEARCH_URL, cookie(ALICE)))
    assert [] == json.loads(judged(request({}, target="/.well-known/gatehouse/jwks.json")).body)["keys"]


def test_somebody_in_very_many_groups_still_fits_through_a_proxy(algorithm):
    groups = [f.GroupIs(100 + n, f"a group with a rather long name, number {n:03}", False) for n in range(300)]
    live_in(world(*groups, *(f.MemberIs(ALICE, group.number, None) for group in groups)))
    answer = ask(SEARCH_URL, cookie(ALICE))
    claims = told(answer, algorithm)
    assert claims["groups_truncated"]
    assert set(claims["groups"]) < {group.name for group in groups} | {"Interns", "engineering", "users"}
    assert len(answer.identity) + len(answer.own) < 8192


BAD = {
    "nonsense": lambda: "nonsense",
    "an RSA key": lambda: pem(rsa.generate_private_key(65537, 2048)),
    "another curve": lambda: pem(ec.generate_private_key(ec.SECP384R1())),
    "a key that only encrypts": lambda: pem(x25519.X25519PrivateKey.generate()),
    "a public key": lambda: ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode(),
}  # fmt: skip


@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
def test_with_a_key_that_cannot_sign_nothing_is_allowed(make, settings):
    settings.AUTHZ_ASSERTION_KEY = make()
    assert 403 == ask(SEARCH_URL, cookie(ALICE)).status
    assert 503 == judged(request({}, target="/.well-known/gatehouse/jwks.json")).status
