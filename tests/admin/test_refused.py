"""Every kind of refusal becomes sentences with a place."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from authz.admin.refused import MEANWHILE, Refused, placed, sentence
from authz.errors import Conflict, NestingCycle


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Conflict("alice@example.com exists already"), ["alice@example.com exists already."]),
        (Conflict("a key without a scope opens nothing"), ["A key without a scope opens nothing."]),
        (NestingCycle(("a", "b", "a")), ["This would make a circle: a in b in a."]),
        (ValidationError(["Too short.", "Too common."]), ["Too short.", "Too common."]),
        (IntegrityError("UNIQUE constraint failed: authz_route.host"), [MEANWHILE]),
    ],
)
def test_a_refusal_is_said_in_whole_sentences(error, expected):
    with pytest.raises(Refused) as caught, placed("rows-0", "name"):
        raise error

    assert (expected, "rows-0", "name") == (caught.value.messages, caught.value.prefix, caught.value.field)


def test_an_inner_place_is_kept():
    with pytest.raises(Refused) as caught, placed(), placed("rows-0", "name"):
        raise Conflict("no")

    assert "rows-0" == caught.value.prefix


def test_any_other_error_is_not_hidden():
    with pytest.raises(KeyError), placed():
        raise KeyError("a defect of ours")


def test_a_sentence_is_not_ended_twice():
    assert "Done." == sentence("Done.")
