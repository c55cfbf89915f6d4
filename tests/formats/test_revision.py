"""A revision names its history, so that one from before a restored backup is not compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.formats import revision


@given(st.from_regex(r"[0-9a-f]{8}", fullmatch=True), st.integers(0, 10**17))
def test_a_revision_is_read_back(epoch, number):
    assert (epoch, number) == revision.read(revision.make(epoch, number))


GOLDEN = {"3f9c2a51.1042": ("3f9c2a51", 1042), "  3f9c2a51.0\t": ("3f9c2a51", 0), "00000000.007": ("00000000", 7)}


@pytest.mark.parametrize(("text", "expected"), GOLDEN.items(), ids=GOLDEN)
def test_golden_vectors(text, expected):
    assert expected == revision.read(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "1042", "3f9c2a51", "3f9c2a51.", ".1042", "3F9C2A51.1", "3f9c2a5.1", "3f9c2a511.1", "3f9c2a51.-1",
        "3f9c2a51.1.2", "3f9c2a51.1e3", "3f9c2a51.٣", "3f9c2a51.9999999999999999999", "3f9c2a51.1, 3f9c2a51.2",
    ],
)  # fmt: skip
def test_anything_else_is_no_revision(text):
    assert revision.read(text) is None
