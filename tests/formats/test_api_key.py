"""An API key is told from nonsense before anybody looks it up."""

import hashlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.formats import api_key

RANDOM = bytes(range(64))
GOLDEN = "ghk_abcdefgh_89ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno_2ENKm4"
KEY = api_key.make(RANDOM)


def test_golden_vector():
    assert GOLDEN == KEY
    assert "ghk_abcdefgh" == api_key.prefix_of(KEY)
    assert hashlib.sha256(KEY.encode()).hexdigest() == api_key.digest(KEY)


@pytest.mark.parametrize(("text", "expected"), [("", "000000"), ("ghk_", "3SDlxv"), ("a", "4GEHKN")])
def test_golden_checksums(text, expected):
    assert expected == api_key.checksum(text)


@given(st.binary(min_size=51, max_size=64))
def test_every_key_made_is_well_formed(randomness):
    key = api_key.make(randomness)
    assert api_key.is_well_formed(key)
    assert 63 == len(key)


def test_too_little_randomness_makes_no_key():
    with pytest.raises(ValueError, match="51 random bytes"):
        api_key.make(bytes(50))


def test_any_other_character_anywhere_fails():
    """Zitadel CVE-2026-27840: a truncated token was still good; here not even one character may differ."""
    others = string.ascii_letters + string.digits + "_-. \n\u00e9"
    changed = [KEY[:i] + other + KEY[i + 1 :] for i in range(len(KEY)) for other in others if other != KEY[i]]
    assert [] == [text for text in changed if api_key.is_well_formed(text)]


def test_every_truncation_and_every_addition_fails():
    pieces = [KEY[:i] for i in range(len(KEY))] + [KEY[i:] for i in range(1, len(KEY))]
    longer = [KEY + other for other in "aA0_ \n\r\0"] + [f"{other}{KEY}" for other in "aA0_ \n"]
    assert [] == [text for text in pieces + longer if api_key.is_well_formed(text)]


@given(st.text(max_size=80))
def test_nonsense_is_no_key_and_breaks_nothing(text):
    assert not api_key.is_well_formed(text)
    assert not api_key.is_well_formed(f"ghk_{text}")
