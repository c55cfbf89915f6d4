"""How long a test waits: until something has come true, or until the program it waits for must have hung.

A busy machine is slow and not wrong, so no limit here says how fast anything is.
"""

import time
from collections.abc import Callable
from typing import TypeVar

HANG = 120.0
"""Seconds after which whatever has not happened never will."""

PAUSE = 0.02
"""Seconds between two looks."""

T = TypeVar("T")


def until(true: Callable[[], object], what: str = "it", *, within: float = HANG) -> None:
    """Return as soon as something is true; fail if it never becomes so."""
    ends = time.monotonic() + within
    while not true():
        assert time.monotonic() < ends, f"{what} did not come true within {within:g} s"
        time.sleep(PAUSE)


def eventually(found: Callable[[], T], expected: T, *, within: float = HANG) -> None:
    """Return as soon as something is as expected; fail with what was found last."""
    ends = time.monotonic() + within
    while (last := found()) != expected:
        assert time.monotonic() < ends, f"expected {expected}, found {last}"
        time.sleep(PAUSE)
