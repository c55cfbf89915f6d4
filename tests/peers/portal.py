"""Whole portals: real processes of `manage.py` on a scratch database of their own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.peers import template
from tests.peers.processes import Process, free_port, start

ROOT = Path(__file__).resolve().parents[2]
MANAGE = (sys.executable, str(ROOT / "manage.py"))
SECRET_KEY = "not a secret: every test of Gatehouse signs with this sentence"
LONGEST_COMMAND = 120.0
WITH_WORKER = "--with-worker"


@dataclass(frozen=True, slots=True)
class Served:
    """A process of the portal that answers HTTP."""

    url: str
    process: Process

    def stop(self, *, kill: bool = False) -> int:
        """End the process, gently unless `kill` is set, and return its exit code."""
        return self.process.stop(kill=kill)


@dataclass
class Portal:
    """One migrated installation: its data folder, its database, and the processes that run on them."""

    folder: Path
    database_url: str
    env: dict[str, str]
    running: list[Process] = field(default_factory=list)

    def manage(
        self, *words: str, said: str = "", env: Mapping[str, str] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end: `portal.manage("createperson", "alice@example.org").stdout`.

        `said` is its standard input. With `check`, a command that fails is an AssertionError with all it printed.
        """
        done = subprocess.run(
            [*MANAGE, *words],
            env=self._environment(env),
            cwd=ROOT,
            input=said,
            capture_output=True,
            text=True,
            timeout=LONGEST_COMMAND,
            check=False,
        )
        if check and done.returncode:
            message = f"manage.py {' '.join(words)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
            raise AssertionError(message)
        return done

    def start(self, *words: str, env: Mapping[str, str] | None = None) -> Process:
        """Start a command that keeps running and is not waited for: `portal.start("sequencer")`."""
        log = self.folder / f"{words[0]}-{len(self.running)}.log"
        begun = start([*MANAGE, *words], log=log, env=self._environment(env), cwd=ROOT)
        begun.name = f"manage.py {words[0]}"
        self.running.append(begun)
        return begun

    def serve(self, *words: str, ready: str = "/", env: Mapping[str, str] | None = None) -> Served:
        """Start a command that answers HTTP and wait for the path `ready`: `portal.serve("serve", "--port", "{port}")`.

        `{port}` is a free port in any word; PORTAL_URL is the address unless `env` says another. A portal works in the
        background only where a test is about that: `serve("serve", …, "--with-worker")`.
        """
        if words[0] == "serve":
            words = tuple(word for word in words if word != WITH_WORKER) + (
                () if WITH_WORKER in words else ("--no-worker",)
            )
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        filled = [word.replace("{port}", str(port)) for word in words]
        begun = self.start(*filled, env={"PORTAL_URL": url, **(env or {})})
        begun.wait_for_url(url + ready)
        return Served(url, begun)

    def stop(self) -> None:
        """End every process, the last one first."""
        for each in reversed(self.running):
            each.stop()

    def _environment(self, more: Mapping[str, str] | None) -> dict[str, str]:
        return {**os.environ, **self.env, **(more or {})}


PortalFactory = Callable[..., Portal]


def _environment(folder: Path, database_url: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PORTAL_MODE": "local",
        "SECRET_KEY": SECRET_KEY,
        "DATA_DIR": str(folder),
        "DATABASE_URL": database_url,
        "PYTHONUNBUFFERED": "1",
    }


def _migrate(folder: Path, database_url: str) -> None:
    Portal(folder, database_url, _environment(folder, database_url)).manage("migrate", "--verbosity", "0")


def new_database(kind: str, folder: Path) -> str:
    """Return the address of a new migrated database of a kind; one of SQLite is a file in `folder`."""
    return template.copy(kind, folder, _migrate)


@pytest.fixture
def portal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PortalFactory]:
    """Return a function that makes a whole portal with an empty, migrated database of its own.

        here = portal()                          # on the database that --database names
        here = portal(database="postgresql", env={"AUDIT_KEEP_DAYS": "7"})
        server = here.serve("serve", "--port", "{port}", ready="/health/live")

    Its processes end, and its database is dropped, after the test.
    """
    yield from portals(request.config, tmp_path)


@pytest.fixture(scope="module")
def shared_portal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortalFactory]:
    """Return what `portal` does, for a fixture that the tests of a file share."""
    yield from portals(request.config, tmp_path_factory.mktemp("portal"))


def portals(config: pytest.Config, place: Path) -> Iterator[PortalFactory]:
    """Yield the function of the fixture; what it made is gone after that."""
    made: list[Portal] = []

    def make(*, database: str = "", env: Mapping[str, str] | None = None) -> Portal:
        folder = place / f"portal-{len(made)}"
        folder.mkdir()
        kind = database or config.getoption("--database")
        url = new_database(kind, folder)
        made.append(Portal(folder, url, {**_environment(folder, url), **(env or {})}))
        return made[-1]

    try:
        yield make
    finally:
        for each in reversed(made):
            each.stop()
            template.drop(each.database_url)
