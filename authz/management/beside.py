"""Keeps commands of ours running beside a server, and lets each of them end with whoever started it."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable

RESTART_AFTER = 1.0
"""Seconds before a command that died is started again."""
PATIENCE = 10
"""Seconds that a command has to end by itself."""
LOOK_EVERY = 1.0
"""Seconds between two looks whether the parent is still there."""


class Beside:
    """Keeps `manage.py <command> --beside <us>` running until it is told to end."""

    def __init__(self, *command: str) -> None:
        """Start it."""
        self._command = command
        self._stop = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        threading.Thread(target=self._keep, name=command[0], daemon=True).start()

    def _keep(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                if self._stop.is_set():
                    return
                words = [sys.executable, sys.argv[0], *self._command, "--beside", str(os.getpid())]
                self._child = subprocess.Popen(words)  # noqa: S603  ourselves
            self._child.wait()
            self._stop.wait(RESTART_AFTER)

    def tell(self) -> None:
        """Tell it to end."""
        self._stop.set()
        with self._lock:
            if self._child is not None and self._child.poll() is None:
                self._child.terminate()

    def end(self) -> None:
        """Tell it to end, and wait until it has."""
        self.tell()
        if self._child is None:
            return
        try:
            self._child.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self._child.kill()


def outlast(parent: int, stop: threading.Event, then: Callable[[], None]) -> None:
    """Call `then` once the parent is gone: a process that was killed cannot say so itself."""

    def watch() -> None:
        while os.getppid() == parent:
            if stop.wait(LOOK_EVERY):
                return
        then()

    threading.Thread(target=watch, name="parent", daemon=True).start()
