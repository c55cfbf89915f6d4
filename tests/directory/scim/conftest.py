"""Gives the SCIM server directories to be provisioned, and clients that provision them."""

from importlib import import_module
from typing import Any

import pytest


@pytest.fixture
def okta(db) -> Any:
    """Return a client with the token of the directory okta."""
    return import_module("tests.directory.scim.pushing").Pusher("okta")  # needs the settings; this file is read before


@pytest.fixture
def entra(db) -> Any:
    """Return a client with the token of another directory."""
    return import_module("tests.directory.scim.pushing").Pusher("entra")
