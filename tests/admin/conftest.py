"""Gives the administration's tests their cast, in a database where nothing but verbs may write."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest


def _cast() -> Any:
    """Return the module with the cast, which needs the settings; this file is read before them."""
    return import_module("tests.admin.cast")


@pytest.fixture(autouse=True)
def _only_verbs_write(db) -> Iterator[None]:
    with _cast().only_verbs_write():
        yield


@pytest.fixture
def carol(db):
    return _cast().carol()


@pytest.fixture
def alice(db):
    return _cast().somebody("Alice")


@pytest.fixture
def bob(db):
    return _cast().somebody("Bob")


@pytest.fixture
def mallory(db):
    return _cast().somebody("Mallory", name="<script>alert(1)</script>")


@pytest.fixture
def service(db):
    return _cast().somebody("Chat", is_human=False)


@pytest.fixture
def engineering(db):
    return import_module("authz.changes.groups").create(name="engineering", by=_cast().BY)


@pytest.fixture
def interns(db):
    return import_module("authz.changes.groups").create(name="interns", by=_cast().BY)


@pytest.fixture
def search(db):
    return import_module("authz.changes.servers").create(name="search", by=_cast().BY)


@pytest.fixture
def signed_in():
    """Return a function that opens a browser in which somebody is signed in."""
    return _cast().browser_of


@pytest.fixture
def screen(carol, signed_in):
    """Return the administration as Carol sees it."""
    return import_module("tests.admin.screen").Screen(signed_in(carol))


@pytest.fixture
def served() -> Iterator[None]:
    """Keep the World in memory, as a process that serves does; name it after everybody who takes part."""
    with _cast().world_in_memory():
        yield
