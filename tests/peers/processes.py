"""Starts a real program as a child, waits until it answers, and stops it by its number."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

from tests.patience import HANG, PAUSE


class DidNotStart(AssertionError):
    """A program ended or stayed silent; the message carries the end of its log."""


def free_port() -> int:
    """Return a loopback port that nobody listens on just now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Process:
    """A running child and the file that collects whatever it says."""

    child: subprocess.Popen[bytes]
    log: Path
    name: str = field(default="")

    def said(self) -> str:
        """Return everything the program has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, ready: Callable[[], bool], what: str, *, within: float = HANG) -> None:
        """Wait until `ready` says yes; a program that ends, or takes longer than `within` seconds, did not start."""
        deadline = time.monotonic() + within
        while not ready():
            if self.child.poll() is not None:
                self._fail(f"ended with {self.child.returncode} before {what}")
            if time.monotonic() > deadline:
                self._fail(f"did not reach {what} within {within:g} s")
            time.sleep(PAUSE)

    def _fail(self, how: str) -> NoReturn:
        message = f"{self.name} {how}; it said:\n{self.said()[-4000:]}"
        raise DidNotStart(message)

    def wait_for_port(self, port: int, *, within: float = HANG) -> None:
        """Wait until something listens on this loopback port."""
        self.wait_for(lambda: listens(port), f"port {port}", within=within)

    def wait_for_url(self, url: str, *, within: float = HANG) -> None:
        """Wait until this address answers with anything below 500."""
        self.wait_for(lambda: answers(url), url, within=within)

    def wait_for_words(self, words: str, *, within: float = HANG) -> None:
        """Wait until the program has printed these words."""
        self.wait_for(lambda: words in self.said(), repr(words), within=within)

    def stop(self, *, kill: bool = False) -> int:
        """End the program, gently unless `kill` is set, and return its exit code (negative: the signal)."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            try:
                self.child.wait(HANG)
            except subprocess.TimeoutExpired:
                self.child.kill()
        return self.child.wait()


def listens(port: int) -> bool:
    """Tell whether a connection to this loopback port is accepted."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(HANG)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(url: str) -> bool:
    """Tell whether an address answers, and not with an error of its own."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback is never behind a proxy
    try:
        with direct.open(url, timeout=HANG):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return error.code < 500
    except OSError:
        return False


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Process:
    """Start a program; `env` is added to the environment, and both output streams go to the file `log`."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            [str(word) for word in command],
            env={**os.environ, **(env or {})},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return Process(child, log, name=Path(command[0]).name)


Starter = Callable[..., Process]


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Starter]:
    """Return a function that starts a program: `process(["redis-server", "--port", "6390"], port=6390)`.

    `port` or `url` names what to wait for; `env` and `cwd` are the program's. All are stopped after the test,
    the last one first.
    """
    running: list[Process] = []

    def begin(
        command: Sequence[str | Path],
        *,
        port: int | None = None,
        url: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Process:
        begun = start(command, log=tmp_path / f"process-{len(running)}.log", env=env, cwd=cwd)
        running.append(begun)
        if port is not None:
            begun.wait_for_port(port)
        if url is not None:
            begun.wait_for_url(url)
        return begun

    yield begin
    for each in reversed(running):
        each.stop()
