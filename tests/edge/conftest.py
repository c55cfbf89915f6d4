"""Lets the edge decide by the World of the people we know."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest


@pytest.fixture
def house() -> Any:
    """Return that World, in which this process now decides as one that serves does."""
    people = import_module("tests.people")  # needs the settings; this file is read before them
    return people.live_in(people.world())


@pytest.fixture(scope="module")
def edge_process(shared_portal: Any) -> Iterator[Any]:
    """Return a real edge process in a real installation, one for the tests of a module that change nothing in it."""
    yield from import_module("tests.installation").with_edge(shared_portal)
