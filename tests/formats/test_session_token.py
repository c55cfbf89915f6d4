"""A session token says how new it is, and nobody else can make one."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.formats import session_token

KEY = b"k" * 32
TOKEN = session_token.make(0x1A2F, bytes(range(32)), key=KEY)


def test_golden_vector():
    assert "1a2f.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8.tqWlZhKtIc8pLfsQXEHtkQ" == TOKEN


def test_a_token_knows_its_revision_and_only_with_the_key():
    assert 0x1A2F == session_token.revision_of(TOKEN, key=KEY)
    assert session_token.revision_of(TOKEN, key=b"another key") is None


@given(st.integers(0, 2**62), st.binary(min_size=32, max_size=32))
def test_every_token_made_is_read_back(revision, randomness):
    token = session_token.make(revision, randomness, key=KEY)
    assert revision == session_token.revision_of(token, key=KEY)
    assert token.isascii()
    assert not set(token) & set(';, "\\')


def test_any_other_character_anywhere_breaks_the_seal():
    changed = [TOKEN[:i] + other + TOKEN[i + 1 :] for i in range(len(TOKEN)) for other in "aB1-_." if other != TOKEN[i]]
    # The last character of a seal carries four bits beyond the 128; a text with other ones is still another text.
    assert [] == [text for text in changed if session_token.revision_of(text, key=KEY) is not None]


@pytest.mark.parametrize(
    "text", ["", ".", "..", TOKEN[:-1], TOKEN + "A", f" {TOKEN}", f"{TOKEN}\n", f"+{TOKEN}", "é" + TOKEN]
)
def test_what_we_did_not_make_has_no_revision(text):
    assert session_token.revision_of(text, key=KEY) is None


@given(st.text(max_size=100))
def test_nonsense_breaks_nothing(text):
    assert session_token.revision_of(text, key=KEY) is None
    assert 64 == len(session_token.digest(text))


def test_stored_is_the_hash_of_the_whole_text():
    assert hashlib.sha256(TOKEN.encode()).hexdigest() == session_token.digest(TOKEN)
    assert session_token.digest(TOKEN) != session_token.digest(TOKEN[:-1])
