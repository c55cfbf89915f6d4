"""A JWK set is public keys for signatures, and nothing else comes in with it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.errors import InvalidName
from authz.formats.jwk_sets import parse_jwk_set

RSA = {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "r"}
EC = {"kty": "EC", "crv": "P-256", "x": "a", "y": "b", "use": "sig"}
OKP = {"kty": "OKP", "crv": "Ed25519", "x": "a"}


def test_the_public_signature_keys_are_kept():
    assert {"keys": [RSA, EC, OKP]} == parse_jwk_set(json.dumps({"keys": [RSA, EC, OKP], "more": 1}))


OTHERS = {
    "for encryption": EC | {"use": "enc"},
    "of an unknown kind": {"kty": "XYZ"},
    "without a kind": {"x": "a"},
    "whose kind is a list": {"kty": ["RSA"]},
    "whose identifier is a list": RSA | {"kid": ["r"]},
    "whose identifier is a number": RSA | {"kid": 1},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_a_key_that_can_check_no_signature_is_left_out(other):
    assert {"keys": [RSA]} == parse_jwk_set(json.dumps({"keys": [other, RSA]}))


BAD = {
    "nothing": "",
    "no JSON": "{",
    "a list": "[]",
    "a text": '"keys"',
    "no keys": "{}",
    "keys that are no list": '{"keys": {}}',
    "keys that are no objects": '{"keys": [1]}',
    "an empty list": '{"keys": []}',
    "only other kinds": '{"keys": [{"kty": "oct2"}]}',
    "too deep": '{"keys":' + "[" * 100_000,
    "a shared secret": json.dumps({"keys": [RSA, {"kty": "oct", "k": "c2VjcmV0"}]}),
    "a private RSA key": json.dumps({"keys": [RSA | {"d": "x"}]}),
    "a private prime": json.dumps({"keys": [RSA | {"p": "x"}]}),
    "a private EC key": json.dumps({"keys": [EC | {"d": "x"}]}),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_anything_else_is_refused(text):
    with pytest.raises(InvalidName, match="a JWK set"):
        parse_jwk_set(text)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["keys", "kty", "kid", "use"]), inner),
    max_leaves=8,
)


@given(ANY)
def test_whatever_an_issuer_publishes_is_read_or_refused(value):
    try:
        found = parse_jwk_set(json.dumps({"keys": value}))
    except InvalidName:
        return
    assert all(key["kty"] in {"RSA", "EC", "OKP"} for key in found["keys"])
