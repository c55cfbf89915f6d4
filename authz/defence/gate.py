"""Lets so many in at once and so many wait, and turns everybody else away at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from authz.errors import TooBusy


class Gate:
    """A gate before something costly; those who wait hold nothing but their thread."""

    def __init__(self, at_once: int, *, waiting: int) -> None:
        """Let `at_once` in together, and `waiting` more stand before it."""
        self._free, self._places = at_once, waiting
        self._changed = threading.Condition()

    @contextmanager
    def passage(self, patience: float) -> Iterator[None]:
        """Be inside; TooBusy if there is no place to wait, or none inside within `patience` seconds."""
        self._enter(patience)
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify()

    def _enter(self, patience: float) -> None:
        with self._changed:
            if not self._free:
                if not self._places:
                    raise TooBusy
                self._places -= 1
                try:
                    if not self._changed.wait_for(lambda: self._free > 0, timeout=patience):
                        raise TooBusy
                finally:
                    self._places += 1
            self._free -= 1
