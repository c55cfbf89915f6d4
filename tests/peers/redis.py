"""A real Redis that keeps nothing."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.peers.needs import need
from tests.peers.processes import Process, free_port, start

PATIENCE = 10.0


@dataclass
class Redis:
    """A Redis on a port that stays the same when it is killed and comes back."""

    program: Path
    folder: Path
    port: int
    process: Process | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        words = [str(self.program), "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        self.process = start([*words, "--dir", str(self.folder)], log=self.folder / "redis.log")
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                with closing(socket.create_connection(("127.0.0.1", self.port), timeout=1)) as connection:
                    connection.sendall(b"PING\r\n")
                    if connection.recv(5) == b"+PONG":
                        return
            except OSError:
                assert time.monotonic() < ends, (self.folder / "redis.log").read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill it."""
        if self.process is not None:
            self.process.stop(kill=True)
            self.process = None


@contextmanager
def running(folder: Path) -> Iterator[Redis]:
    """Run one until the block ends."""
    made = Redis(need("Redis"), folder, free_port())
    made.start()
    try:
        yield made
    finally:
        made.kill()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    """Return one that runs, and ends with the test."""
    with running(tmp_path) as made:
        yield made
