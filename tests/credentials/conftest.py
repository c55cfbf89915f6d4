"""Gives the tests of credentials a foreign issuer."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from tests.patience import HANG


@pytest.fixture
def issuer() -> Iterator[Any]:
    """Return an issuer that publishes its keys on loopback."""
    server = import_module("tests.credentials.issuer").Server()  # needs the settings; this file is read before them
    yield server
    server.stop()
    import_module("authz.outbound.key_sets").KEY_SETS.forget(server.url)  # its port may be somebody else's next


@pytest.fixture(autouse=True)
def _issuers_may_be_slow(monkeypatch):
    monkeypatch.setattr("authz.outbound.http.PATIENCE", HANG)


@pytest.fixture(autouse=True)
def _loopback_is_not_behind_a_proxy(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
