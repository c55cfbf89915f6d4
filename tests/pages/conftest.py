"""Gives the pages their visitors."""

from importlib import import_module
from typing import Any

import pytest


@pytest.fixture
def cast(db) -> Any:
    """Return Alice and Carol, who have passwords, Mallory, Eve who is suspended, and a service account."""
    return import_module("tests.pages.cast").Cast()  # needs the settings; this file is read before them
