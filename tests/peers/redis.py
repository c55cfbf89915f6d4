"""A real Redis that keeps nothing."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.patience import HANG
from tests.peers.needs import need
from tests.peers.processes import Process, free_port, start


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
        self.process.wait_for(self._answers, "an answer")

    def listeners(self, channel: str) -> int:
        """Return how many listen to a channel."""
        return int(self._ask(f"PUBSUB NUMSUB {channel}", lines=4).rpartition(":")[2])

    def _answers(self) -> bool:
        try:
            return self._ask("PING", lines=1).startswith("+PONG")
        except OSError:
            return False

    def _ask(self, command: str, *, lines: int) -> str:
        """Return the answer to a command, which has so many lines."""
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=HANG)) as connection:
            connection.sendall(f"{command}\r\n".encode())
            with connection.makefile("rb") as answer:
                return b"".join(answer.readline() for _ in range(lines)).decode()

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
