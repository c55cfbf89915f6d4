"""A name in a header is never mistaken for two, nor two for one, and breaks no line."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from authz.errors import InvalidName
from authz.formats.header import decode, encode, encode_list
from authz.formats.labels import parse_label

GOLDEN = {
    "mcp_basic": "mcp_basic",
    "Domain Users": "Domain Users",
    "R&D, Berlin": "R&D%2C Berlin",
    "Ärzte": "%C3%84rzte",
    'a;b|c"d\\e%': "a%3Bb%7Cc%22d%5Ce%25",
    "x\r\nX-User-Email: carol@example.com": "x%0D%0AX-User-Email: carol@example.com",
    "\x00\x7f": "%00%7F",
    "😀": "%F0%9F%98%80",
    "": "",
}


@pytest.mark.parametrize(("name", "sent"), GOLDEN.items(), ids=range(len(GOLDEN)))
def test_golden_vectors(name, sent):
    assert sent == encode(name)
    assert name == decode(sent)


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(NAMES)
def test_a_name_comes_back_as_it_was(name):
    sent = encode(name)
    assert name == decode(sent)
    assert sent.isascii()
    assert sent.isprintable() or not sent


@given(st.lists(NAMES.filter(bool), max_size=8, unique=True), st.sampled_from([",", "|", ";"]))
def test_a_list_splits_into_exactly_the_names_it_was_made_of(names, separator):
    sent, truncated = encode_list(names, separator=separator, limit=10_000)
    assert not truncated
    assert sorted(names) == sorted(decode(item) for item in sent.split(separator) if item)
    assert sent.isascii()
    assert not set(sent) & set("\r\n\0")


@given(st.lists(NAMES.filter(bool), max_size=8, unique=True), st.lists(NAMES.filter(bool), max_size=8, unique=True))
def test_two_different_sets_of_names_are_never_sent_alike(one, other):
    assume(set(one) != set(other))
    assert encode_list(one, limit=10_000) != encode_list(other, limit=10_000)


@given(st.text(min_size=1, max_size=20))
def test_every_name_that_a_group_may_have_travels(text):
    try:
        name = parse_label(text)
    except InvalidName:
        return
    assert name == decode(encode(name))


@given(st.text(max_size=5))
def test_even_a_lone_surrogate_breaks_nothing(text):
    assert encode(f"\ud800{text}").isascii()


@pytest.mark.parametrize(
    ("names", "limit", "expected"),
    [
        ([], 10, ("", False)),
        (["bb", "a"], 4, ("a,bb", False)),
        (["bb", "a"], 3, ("a", True)),
        (["bb", "a"], 0, ("", True)),
        (["ä", "b"], 7, ("%C3%A4", True)),
        (["a" * 50], 49, ("", True)),
    ],
)
def test_a_list_that_is_too_long_is_cut_between_two_names_and_says_so(names, limit, expected):
    assert expected == encode_list(names, limit=limit)


@given(st.lists(NAMES.filter(bool), max_size=20, unique=True), st.integers(0, 60))
def test_a_cut_list_fits_and_holds_whole_names_only(names, limit):
    sent, truncated = encode_list(names, limit=limit)
    kept = [decode(item) for item in sent.split(",") if item]
    assert len(sent) <= limit
    assert set(kept) <= set(names)
    assert truncated == (len(kept) < len(names))
