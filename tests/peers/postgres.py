"""A throw-away PostgreSQL cluster on loopback, one for the whole test run."""

import itertools
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.peers import parts, place
from tests.peers.needs import need
from tests.peers.processes import free_port

OWNER = "portal"

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    # Nobody needs this data after a power cut.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server, where every connection from loopback is trusted."""

    port: int

    def url(self, database: str = "postgres") -> str:
        """Return the DATABASE_URL of one of its databases."""
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"

    def has(self, database: str) -> bool:
        """Tell whether there is a database of this name."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            return bool(connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone())

    def create(self, database: str = "", *, template: str = "template1") -> str:
        """Create a database as a copy of `template` and return its DATABASE_URL; without a name, it gets a new one."""
        database = database or f"scratch_{os.getpid()}_{next(_numbers)}"
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(database), sql.Identifier(template))
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(command)
        return self.url(database)

    def rename(self, url: str, name: str) -> None:
        """Give the database that `url` leads to another name."""
        old = sql.Identifier(url.rpartition("/")[2])
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(old, sql.Identifier(name)))

    @contextmanager
    def gone(self, url: str) -> Iterator[None]:
        """Hang up on everybody who uses a database, and let nobody in until the block ends."""
        name = url.rpartition("/")[2]
        door = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        hang_up = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(door.format(sql.Identifier(name), sql.SQL("false")))
            connection.execute(hang_up, [name])
            try:
                yield
            finally:
                connection.execute(door.format(sql.Identifier(name), sql.SQL("true")))

    def drop(self, url: str) -> None:
        """Drop the database that `url` leads to, and hang up on whoever still uses it."""
        database = sql.Identifier(url.rpartition("/")[2])
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))


def _folder() -> Path:
    return place.here() / "postgres"


def _run(program: str, *words: str) -> None:
    """Run one of the server's programs, as nobody if we are root: PostgreSQL refuses to run as root."""
    server = parts.named("PostgreSQL").find()
    if server is None:
        message = "PostgreSQL is not installed"
        raise FileNotFoundError(message)
    nobody = None if os.geteuid() else pwd.getpwnam("nobody")
    log = _folder() / f"{program}.log"
    with log.open("ab") as output:
        # The output goes to a file and not to a pipe: the server inherits it, and would hold a pipe open.
        done = subprocess.run(
            [server.with_name(program), *words],
            cwd=_folder(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            user=nobody.pw_uid if nobody else None,
            group=nobody.pw_gid if nobody else None,
            extra_groups=[] if nobody else None,
        )
    if done.returncode:
        message = f"{program} ended with {done.returncode}; it said:\n{log.read_text(errors='replace')[-2000:]}"
        raise RuntimeError(message)


def running() -> Cluster:
    """Return the cluster of this test run, which the first caller starts."""
    with place.alone("postgres"):
        address = _folder() / "port"
        if not address.exists():
            _start(address)
        return Cluster(int(address.read_text()))


def _start(address: Path) -> None:
    folder = _folder()
    folder.mkdir(mode=0o700)
    if not os.geteuid():
        shutil.chown(folder, "nobody")
    data = str(folder / "data")
    _run("initdb", "-D", data, "-U", OWNER, "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
    port = free_port()
    settings = {**SETTINGS, "port": str(port), "unix_socket_directories": str(folder)}
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    _run("pg_ctl", "start", "-D", data, "-w", "-o", options)
    address.write_text(str(port))


def stop() -> None:
    """Stop the cluster of this test run, if one was started."""
    if (_folder() / "port").exists():
        _run("pg_ctl", "stop", "-D", str(_folder() / "data"), "-m", "immediate")


@pytest.fixture(scope="session", name="postgres")
def cluster() -> Cluster:
    """Return the run's cluster: `url = postgres.create()` makes an empty database."""
    need("PostgreSQL")
    return running()
