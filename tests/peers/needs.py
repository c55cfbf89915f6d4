"""Skips a test whose part is missing, or fails it where nothing may be missing."""

from pathlib import Path

import pytest

from tests.peers import parts


def need(name: str) -> Path:
    """Return the program of the part called `name`; without it the test is skipped, and under CI=true it fails."""
    part = parts.named(name)
    if found := part.find():
        return found
    reason = f"{part.name} is not installed: {part.without}"
    if parts.STRICT:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
