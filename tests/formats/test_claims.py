"""Claims whose type an issuer got wrong mean nothing."""

import pytest

from authz.formats.claims import is_id_token, is_true, type_of

TYPES = {
    "none": ({}, ""),
    "an empty one": ({"typ": ""}, ""),
    "in capitals": ({"typ": "JWT"}, "jwt"),
    "a media type": ({"typ": "application/at+jwt"}, "at+jwt"),
    "a number": ({"typ": 1}, None),
    "true": ({"typ": True}, None),
    "null": ({"typ": None}, None),
    "a list": ({"typ": ["JWT"]}, None),
    "an object": ({"typ": {}}, None),
    "longer than any": ({"typ": "x" * 128}, None),
}


@pytest.mark.parametrize(("header", "expected"), TYPES.values(), ids=TYPES)
def test_the_type_of_a_token_is_a_short_text_or_nothing(header, expected):
    assert expected == type_of(header)


def test_only_true_is_a_yes():
    values: list[object] = [True, "true", 1, 1.0, "True", None, False, "", [], {}]
    assert [True, "true"] == [each for each in values if is_true(each)]


@pytest.mark.parametrize(
    "value", [None, 1, True, [], {}, "access", "Bearer", "", "i", "x" * 10**6], ids=lambda v: repr(v)[:9]
)
def test_a_token_is_an_id_token_only_if_it_says_so(value):
    assert not is_id_token({"token_use": value, "typ": value})


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"nonce": "n"}, True),
        ({"nonce": "n", "typ": "ID"}, True),
        ({"nonce": "n", "typ": "Bearer"}, False),
        ({"nonce": "n", "token_use": "access"}, False),
        ({"at_hash": "h", "typ": "Bearer"}, True),
        ({"sub": "alice"}, False),
    ],
)
def test_a_nonce_is_that_of_a_sign_in_unless_an_access_token_says_that_it_is_one(claims, expected):
    assert expected == is_id_token(claims)
