"""One migrated database of each kind for the whole run, of which every other is a copy."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.peers import place, postgres
from tests.peers.needs import need

NAME = "portal_template"

Migrate = Callable[[Path, str], None]
"""Migrates the database at an address, with a folder for what it writes beside that."""


def copy(kind: str, folder: Path, migrate: Migrate) -> str:
    """Return the address of a new migrated database; one of SQLite is a file in `folder`."""
    return _postgresql(migrate) if kind == "postgresql" else _sqlite(folder, migrate)


def drop(url: str) -> None:
    """Remove a copy; a file goes with its folder."""
    if url.startswith("postgresql:"):
        postgres.running().drop(url)


def _sqlite(folder: Path, migrate: Migrate) -> str:
    template = place.here() / "template" / "gatehouse.sqlite3"
    with place.alone("template-sqlite"):
        if not template.exists():
            unfinished = place.here() / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            migrate(unfinished, f"sqlite:///{unfinished / template.name}")
            unfinished.rename(template.parent)
    database = folder / template.name
    with closing(sqlite3.connect(template)) as source, closing(sqlite3.connect(database)) as target:
        source.backup(target)  # unlike a copy of the file, complete even with a write-ahead log beside it
    return f"sqlite:///{database}"


def _postgresql(migrate: Migrate) -> str:
    need("PostgreSQL")
    cluster = postgres.running()
    with place.alone("template-postgresql"):
        if not cluster.has(NAME):
            unfinished = cluster.create()
            folder = place.here() / "template-postgresql"
            folder.mkdir(exist_ok=True)
            migrate(folder, unfinished)
            cluster.rename(unfinished, NAME)
        # Two copies at once would each find the template in use by the other.
        return cluster.create(template=NAME)
