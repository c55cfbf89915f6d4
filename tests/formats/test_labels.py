"""The name of a group, a server or a tool may be nearly anything, in one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.errors import InvalidName
from authz.formats.labels import MOST, fold, parse_label

GOOD = {
    "engineering": "engineering",
    "  Domain Users ": "Domain Users",
    "R&D, Berlin; Wien|Bern": "R&D, Berlin; Wien|Bern",
    'say "hello" \\ %2C': 'say "hello" \\ %2C',
    "A\u0308rzte": "Ärzte",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "क्\u200dष": "क्\u200dष",
    "👩‍🔬 science": "👩‍🔬 science",
    "CN=Sales,OU=Groups,DC=corp": "CN=Sales,OU=Groups,DC=corp",
    "n" * MOST: "n" * MOST,
}


@pytest.mark.parametrize(("typed", "stored"), GOOD.items(), ids=range(len(GOOD)))
def test_a_name_is_kept_as_it_was_meant(typed, stored):
    assert stored == parse_label(typed)


BAD = {
    "nothing": "",
    "only space": " \t\u00a0 ",
    "too long": "n" * (MOST + 1),
    "a NUL": "a\x00b",
    "a line break": "a\nb",
    "a carriage return": "a\rb",
    "an escape": "a\x1bb",
    "a C1 control": "a\x9bb",
    "a line separator": "a\u2028b",
    "a direction change": "admin\u202e",
    "a byte order mark": "a\ufeffb",
    "a zero-width space": "ad\u200bmin",
    "a lone surrogate": "a\ud800",
    "a private letter": "a\ue000",
    "an unassigned letter": "a\u0378",
    "a tag character": "a\U000e0061",
}


@pytest.mark.parametrize("typed", BAD.values(), ids=BAD)
def test_a_name_that_cannot_be_shown_is_refused(typed):
    with pytest.raises(InvalidName, match="group name"):
        parse_label(typed, what="group name")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Engineering", " engineering ", True),
        ("ÄRZTE", "a\u0308rzte", True),
        ("STRASSE", "straße", True),
        ("engineering", "engineering2", False),
        ("a b", "a  b", False),
    ],
)
def test_two_spellings_of_a_name_are_one_name(one, other, expected):
    assert expected == (fold(one) == fold(other))


@given(st.text(max_size=50))
def test_a_stored_name_stays_as_it_is(text):
    try:
        stored = parse_label(text)
    except InvalidName:
        return
    assert stored == parse_label(stored)
    assert fold(stored) == fold(fold(stored))
