"""Lets the edge decide by the World of the people we know."""

from importlib import import_module
from typing import Any

import pytest


@pytest.fixture
def house() -> Any:
    """Return that World, in which this process now decides as one that serves does."""
    people = import_module("tests.people")  # needs the settings; this file is read before them
    return people.live_in(people.world())
