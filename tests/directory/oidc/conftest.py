"""Gives tests a provider that says what they want."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from tests.patience import HANG


@pytest.fixture(autouse=True)
def _providers_may_be_slow(monkeypatch):
    monkeypatch.setattr("authz.outbound.http.PATIENCE", HANG)


@pytest.fixture
def provider() -> Iterator[Any]:
    """Return a provider on loopback, which ends with the test."""
    made = import_module("tests.directory.oidc.provider").Provider()
    yield made
    made.stop()


@pytest.fixture
def another() -> Iterator[Any]:
    """Return a second one."""
    made = import_module("tests.directory.oidc.provider").Provider()
    yield made
    made.stop()
