"""Reading an expression of twice the length takes twice the steps: a client cannot stop the portal with one."""

import sys
from collections.abc import Callable
from typing import Any

import pytest
from scim2_models import Path, ScimFilter

from authz.api.scim.expressions import LONGEST

SHAPES: dict[str, Callable[[int], str]] = {
    "many conditions": lambda n: " and ".join(['userName eq "a"'] * (n // 20)),
    "many alternatives": lambda n: " or ".join(["a pr"] * (n // 8)),
    "parentheses": lambda n: "(" * (n // 2) + "a pr" + ")" * (n // 2),
    "parentheses without an end": lambda n: "(" * n,
    "denials": lambda n: "not (" * (n // 5) + "a pr" + ")" * (n // 5),
    "spaces": lambda n: "a" + " " * n + "pr",
    "escapes": lambda n: 'a eq "' + '\\"' * (n // 2),
    "escapes of nothing": lambda n: 'a eq "' + "\\" * n,
    "filters within filters": lambda n: "emails[" * (n // 7),
    "dots": lambda n: "a." * (n // 2),
    "colons": lambda n: "urn:" * (n // 4) + "a pr",
    "digits": lambda n: "a eq " + "1" * n,
    "combining marks": lambda n: 'a eq "' + "\u0345" * (n // 2) + "\u0334" * (n // 2) + '"',
}


def steps(read: Callable[[str], object], text: str) -> int:
    """Return how many calls it takes to read a text, or to refuse it; those of C count as well."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        read(text)
    except Exception:  # noqa: BLE001, S110  to be refused is an answer
        pass
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("read", [ScimFilter, Path[Any]], ids=["filter", "path"])
def test_twice_the_text_takes_at_most_twice_the_steps(read, shape):
    once, twice = (steps(read, SHAPES[shape](size)) for size in (LONGEST // 2, LONGEST))
    assert twice <= 2.2 * once + 100
