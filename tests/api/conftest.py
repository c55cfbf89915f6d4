"""Gives the interface somebody to be asked about."""

from importlib import import_module
from typing import Any

import pytest


@pytest.fixture
def here(db) -> Any:
    """Return the people we know as rows, and the keys of services."""
    return import_module("tests.api.here").Here()  # needs the settings; this file is read before them
