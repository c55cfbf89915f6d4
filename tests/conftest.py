"""Prepares the run: which database, which folder, and the real programs that a test may ask for."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.peers import parts, place, postgres
from tests.peers.active_directory import active_directory
from tests.peers.browser import (
    browser,
    context,
    page,
    pytest_runtest_protocol,
    pytest_sessionfinish,
)
from tests.peers.database import django_db_setup
from tests.peers.keycloak import keycloak
from tests.peers.nginx import nginx, shared_nginx
from tests.peers.openid import openid
from tests.peers.portal import SECRET_KEY, portal, shared_portal
from tests.peers.postgres import cluster
from tests.peers.processes import process
from tests.peers.redis import redis
from tests.peers.slapd import slapd, slapd_of_this_worker
from tests.run import databases, examples, order, report
from tests.run.leftovers import nothing_is_left, nothing_is_left_by_the_file

# Pytest finds the fixtures and hooks here.
__all__ = [
    "active_directory",
    "browser",
    "cluster",
    "context",
    "django_db_setup",
    "keycloak",
    "nginx",
    "nothing_is_left",
    "nothing_is_left_by_the_file",
    "openid",
    "page",
    "portal",
    "process",
    "pytest_runtest_protocol",
    "pytest_sessionfinish",
    "redis",
    "shared_nginx",
    "shared_portal",
    "slapd",
    "slapd_of_this_worker",
]

OURS_TO_SAY = ("ALLOWED_HOSTS", "DATABASE_URL_FILE", "DEBUG", "PORTAL_URL", "REDIS_URL", "SECRET_KEY_FILE")
"""Settings that a developer's shell may hold, and that must not decide whether a test passes."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the run choose its database."""
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="the database to test on; postgresql starts a throw-away cluster",
    )
    parser.addoption("--everything", action="store_true", help="also run what tests/run/databases.py leaves out here")
    parser.addoption("--results", type=Path, default=None, help="the file in which results are kept for a summary")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that run with the other database alone, and begin with the files that take longest."""
    database = config.getoption("--database")
    if not config.getoption("--everything"):
        config.hook.pytest_deselected(items=[item for item in items if not databases.runs_here(item, database)])
        items[:] = [item for item in items if databases.runs_here(item, database)]
    items[:] = order.longest_first(items)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Keep the results for whoever sums up several runs."""
    if path := config.getoption("--results"):
        report.keep(path, terminalreporter.stats)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Name the settings only after their database and their folder are there.

    pytest-django would read them much earlier if pyproject.toml named them; it picks them up from here instead.
    """
    if settings.configured:
        message = "DJANGO_SETTINGS_MODULE is set, so the settings were read too early; unset it"
        raise pytest.UsageError(message)
    if _is_controller(config):
        place.make()
    data = place.here() / f"data-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    data.mkdir(exist_ok=True)
    for name in OURS_TO_SAY:
        os.environ.pop(name, None)
    os.environ.update(
        DJANGO_SETTINGS_MODULE="portal.settings",
        PORTAL_MODE="local",
        DATA_DIR=str(data),
        SECRET_KEY=SECRET_KEY,
        DATABASE_URL=_database(config, data),
    )
    settings.PASSWORD_HASHERS = ["tests.run.hashing.QuickArgon2"]
    if _is_controller(config) and config.getoption("numprocesses", None):
        # Workers inherit the environment, and have to make their own folder before they read the settings.
        del os.environ["DJANGO_SETTINGS_MODULE"]
    examples.prepare()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what the run started and remove what it wrote."""
    if _is_controller(config) and place.VARIABLE in os.environ:
        postgres.stop()
        place.remove()


def pytest_report_header(config: pytest.Config) -> str:
    """Say which database this run is about."""
    return f"database: {config.getoption('--database')}"


def _is_controller(config: pytest.Config) -> bool:
    return not hasattr(config, "workerinput")


def _database(config: pytest.Config, data: Path) -> str:
    if config.getoption("--database") == "sqlite":
        return f"sqlite:///{data / 'gatehouse.sqlite3'}"
    if parts.named("PostgreSQL").find() is None:
        message = "--database=postgresql: PostgreSQL is not installed; tests/peers/install installs it"
        raise pytest.UsageError(message)
    return postgres.running().url("portal")


@pytest.fixture(autouse=True)
def without_a_world(nothing_is_left: None) -> Iterator[None]:
    """Begin and end each test without a World, for the tables are emptied or rolled back beneath it.

    Nor is it known when anything was last used: numbers of sessions come again, in another test and at another time.
    """
    from authz.credentials.usage import USAGE  # noqa: PLC0415  needs the settings, which are named only now
    from authz.lookups.current import CURRENT  # noqa: PLC0415

    CURRENT.forget()
    USAGE.forget()
    yield
    CURRENT.kept = False
    CURRENT.forget()
