"""Skips a test whose part is missing, or fails it where nothing may be missing."""

import shutil
from pathlib import Path

import pytest

from tests.peers import parts


def need(name: str) -> Path:
    """Return the program of the part called `name`; without it the test is skipped, and under CI=true it fails.

    What is built from a Go module may be missing there too, if Go is; what is optional may always be.
    """
    part = parts.named(name)
    if found := part.find():
        return found
    reason = f"{part.name} is not installed: {part.without}"
    unbuildable = part.module and shutil.which("go") is None
    if parts.STRICT and part not in parts.OPTIONAL_PARTS and not unbuildable:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
