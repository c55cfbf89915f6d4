"""Real portals with live connections, and an application behind them."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest


@pytest.fixture(scope="module")
def application() -> Iterator[Any]:
    """Return an application that WebSockets are carried to."""
    with import_module("tests.sockets.upstream").application() as made:
        yield made


@pytest.fixture(scope="module")
def here(shared_portal: Any, application: Any) -> Iterator[Any]:
    """Return an installation that relays to the application, one for the tests of a module."""
    yield from import_module("tests.sockets.live").house(shared_portal, application)


@pytest.fixture(scope="module")
def served(here: Any) -> Any:
    """Return its one process that serves everything."""
    return here.serve()
