"""Gives the pages their visitors."""

from importlib import import_module
from typing import Any

import pytest


@pytest.fixture
def cast(db, settings) -> Any:
    """Return Alice and Carol, who have passwords, Mallory, Eve who is suspended, and a service account."""
    settings.PASSWORD_HASHERS = ["tests.pages.cast.QuickArgon2"]
    return import_module("tests.pages.cast").Cast()  # needs the settings; this file is read before them
