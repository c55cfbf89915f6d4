"""Prepares the run: which database, which folder, and the real programs that a test may ask for."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from hypothesis.configuration import set_hypothesis_home_dir

from tests.peers import parts, place, postgres
from tests.peers.active_directory import active_directory
from tests.peers.browser import (
    browser,
    context,
    django_db_setup,
    page,
    pytest_runtest_protocol,
    pytest_sessionfinish,
)
from tests.peers.keycloak import keycloak
from tests.peers.nginx import nginx
from tests.peers.openid import openid
from tests.peers.portal import SECRET_KEY, portal
from tests.peers.postgres import cluster
from tests.peers.processes import process
from tests.peers.redis import redis
from tests.peers.slapd import slapd

# Pytest finds the fixtures and hooks here.
__all__ = [
    "active_directory",
    "browser",
    "cluster",
    "context",
    "django_db_setup",
    "keycloak",
    "nginx",
    "openid",
    "page",
    "portal",
    "process",
    "pytest_runtest_protocol",
    "pytest_sessionfinish",
    "redis",
    "slapd",
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


PROGRAMS = frozenset(
    {"active_directory", "browser", "nginx", "openid", "portal", "process", "redis", "scratch", "slapd"}
)
"""Fixtures that start a program and wait for it."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the files that wait for programs, so that none of them is what everybody waits for at the end.

    A test that names the databases it is about is run with the one of this run.
    """
    other = {"sqlite": "postgresql", "postgresql": "sqlite"}[config.getoption("--database")]
    elsewhere = [item for item in items if _parameters(item).get("database") == other]
    waiting = {item.path for item in items if not PROGRAMS.isdisjoint(getattr(item, "fixturenames", ()))}
    config.hook.pytest_deselected(items=elsewhere)
    left = [item for item in items if _parameters(item).get("database") != other]
    items[:] = sorted(left, key=lambda item: item.path not in waiting)


def _parameters(item: pytest.Item) -> dict[str, Any]:
    return item.callspec.params if hasattr(item, "callspec") else {}


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
    database = settings.DATABASES["default"]  # reads the settings
    if config.getoption("--database") == "sqlite":
        # A file and not the memory: threads of a test then see each other's work as processes would.
        database.setdefault("TEST", {})["NAME"] = str(data / "test.sqlite3")
    if _is_controller(config) and config.getoption("numprocesses", None):
        # Workers inherit the environment, and have to make their own folder before they read the settings.
        del os.environ["DJANGO_SETTINGS_MODULE"]
    _prepare_hypothesis()


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


def _prepare_hypothesis() -> None:
    """Keep found counterexamples outside the tree; on a build machine, try the same examples every time."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    set_hypothesis_home_dir(cache / "gatehouse" / "hypothesis")
    # How long an example takes says how busy the machine is, and nothing about the code.
    patient = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
    hypothesis.settings.register_profile("default", patient)
    hypothesis.settings.register_profile("ci", patient, derandomize=True, database=None, print_blob=True)
    hypothesis.settings.load_profile("ci" if parts.STRICT else "default")


@pytest.fixture(autouse=True)
def without_a_world() -> Iterator[None]:
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
