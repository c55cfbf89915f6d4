"""Gives the book's tests decisions to note, and databases that other processes can use too."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection

from tests.patience import HANG

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
KEPT = ("PATH", "HOME", "LANG", "SYSTEMROOT", "TMPDIR")


@dataclass
class Scratch:
    """A database and a spool folder of a test's own, and the processes that use them."""

    url: str
    spool: Path
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, act: str, *arguments: object) -> "subprocess.Popen[str]":
        """Start a process that does an act."""
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        environment |= {"PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}", "DJANGO_SETTINGS_MODULE": "alone"}
        environment |= {"DATABASE_URL": self.url, "AUDIT_SPOOL_DIR": str(self.spool)}
        process = subprocess.Popen(  # noqa: S603  the interpreter that runs this, with a file beside this
            [sys.executable, str(HERE / "acts.py"), act, *map(str, arguments)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process

    def run(self, act: str, *arguments: object) -> Any:
        """Let a process do an act to its end, and return what it prints."""
        out, err = self.start(act, *arguments).communicate(timeout=HANG)
        assert 0 == self.running[-1].returncode, err
        return json.loads(out) if out.startswith(("{", "[")) else out

    def stop(self) -> None:
        """Kill what still runs."""
        for process in self.running:
            process.kill()
            process.communicate()


def _server(database: str) -> dict[str, Any]:
    known = connection.settings_dict
    wanted = {"host": known["HOST"], "port": known["PORT"], "user": known["USER"], "password": known["PASSWORD"]}
    return {name: value for name, value in wanted.items() if value} | {"dbname": database}


def _url(database: str) -> str:
    known = connection.settings_dict
    word = f":{quote(known['PASSWORD'], safe='')}" if known["PASSWORD"] else ""
    port = f":{known['PORT']}" if known["PORT"] else ""
    return f"postgresql://{quote(known['USER'], safe='')}{word}@{quote(known['HOST'], safe='')}{port}/{database}"


def _administer(statement: str) -> None:
    with psycopg.connect(**_server("postgres"), autocommit=True) as server:
        server.execute(statement)


@contextmanager
def _database(folder: Path, *, like: str | None) -> Iterator[str]:
    """Yield the address of a new database, which is a copy of another if one is given."""
    if connection.vendor == "sqlite":
        file = folder / "book.sqlite3"
        if like:
            shutil.copy(like.removeprefix("sqlite:///"), file)
        yield f"sqlite:///{file}"
        return
    name = f"book_{secrets.token_hex(6)}"
    template = f' TEMPLATE "{like.rsplit("/", 1)[1]}"' if like else ""
    _administer(f'CREATE DATABASE "{name}"{template}')
    try:
        yield _url(name)
    finally:
        _administer(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("migrated")
    with _database(folder, like=None) as url:
        Scratch(url, folder / "spool").run("migrate")
        yield url


@pytest.fixture
def scratch(_migrated, tmp_path) -> Iterator[Scratch]:
    """Return a database and a spool folder that processes share."""
    with _database(tmp_path, like=_migrated) as url:
        made = Scratch(url, tmp_path / "spool")
        yield made
        made.stop()


@pytest.fixture
def decision() -> dict[str, Any]:
    """Return what Alice asked, and was allowed."""
    return {
        "at": 1760000000.25,
        "effect": "allow",
        "rule": "a_grant_opens_the_door",
        "code": "granted",
        "person": "alice@example.com",
        "credential": "session",
        "action": "call",
        "target": "search",
        "tool": "query",
        "address": "192.0.2.1",
        "url": "https://mcp.example.com/search",
        "revision": 7,
        "dialect": "nginx",
    }
