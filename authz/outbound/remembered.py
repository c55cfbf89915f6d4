"""Remembers what was fetched: fresh for an hour, good for longer while it cannot be fetched again, and then no more.

One fetches; whoever needs the same meanwhile waits for that, and is told the same if it fails. Between two attempts
lies a pause, whoever asks and however often; but what was fetched and is not enough is asked for once more.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from authz.errors import OutboundFailed
from authz.outbound.waiting import leave_database

log = logging.getLogger(__name__)

T = TypeVar("T")

FRESH: Final = 3600.0
"""Seconds after which it is fetched again, so that what was withdrawn is forgotten."""
SPACING: Final = 30.0
"""Seconds between two fetches of one address, of which one failed or was only asked for by an unknown name."""
MOST: Final = 1000
"""Addresses that are remembered; they are those of our own settings."""


@dataclass(slots=True)
class Held(Generic[T]):
    """What an address said last."""

    value: T
    generation: int
    """Another one whenever it was fetched again."""
    fetched_at: float
    tried_at: float
    searched_at: float = float("-inf")
    """When it was last fetched because what it said was not enough."""


class Remembered(Generic[T]):
    """Remembers what addresses of one kind said."""

    def __init__(self, fetch: Callable[[str], T], *, oldest: Callable[[], float], what: str) -> None:
        """Begin without any; `fetch` raises OutboundFailed, `oldest` is how long a value is good for, in seconds."""
        self._fetch, self._oldest, self._what = fetch, oldest, what
        self._held: dict[str, Held[T]] = {}
        self._failed: dict[str, tuple[OutboundFailed, float]] = {}
        self._alone: dict[str, threading.Lock] = {}
        self._generation = 0

    def peek(self, address: str, at: float) -> Held[T] | None:
        """Return what is known and still good, without waiting for anything."""
        held = self._held.get(address)
        return held if held is not None and at - held.fetched_at < self._oldest() else None

    def is_stale(self, address: str, at: float) -> bool:
        """Tell whether what is known should be fetched again, or is nothing."""
        held = self.peek(address, at)
        return held is None or at - held.fetched_at >= FRESH

    def has_failed(self, address: str) -> bool:
        """Tell whether the last attempt failed, so that the next one is not worth waiting for."""
        return address in self._failed

    def may_fetch(self, address: str, at: float) -> bool:
        """Tell whether a fetch, or waiting for one that is under way, is worth it: never twice within the pause."""
        lock = self._alone.get(address)
        return (lock is not None and lock.locked()) or self._is_due(address, at)

    def refresh(self, address: str, at: float) -> None:
        """Fetch, unless somebody else did so within the pause; what is known stays if that fails."""
        with self._lock(address):
            if self._is_due(address, at):
                self._try(address, at)

    def of(self, address: str, at: float) -> T:
        """Return what an address says, fetched if need be; OutboundFailed if there is nothing that is still good."""
        held = self.peek(address, at)
        if held is not None and at - held.fetched_at < FRESH:
            return held.value  # without waiting for anybody who searches
        leave_database()
        with self._lock(address):
            if self.is_stale(address, at) and self._is_due(address, at):
                self._try(address, at)
            if (held := self.peek(address, at)) is not None:
                return held.value
            raise self._failure(address)

    def newer(self, address: str, at: float, *, than: T) -> T | None:
        """Return something newer than what was not enough; None if there is nothing, or we searched a moment ago."""
        leave_database()
        with self._lock(address):
            held = self.peek(address, at)
            if held is None:
                return None
            if held.value is not than:
                return held.value  # somebody else has fetched it meanwhile
            if at - held.searched_at < SPACING:
                return None
            held.searched_at = at
            return self._held[address].value if self._try(address, at) else None

    def forget(self, address: str) -> None:
        """Fetch it anew when it is needed next."""
        self._held.pop(address, None)
        self._failed.pop(address, None)

    def _is_due(self, address: str, at: float) -> bool:
        held, failed = self._held.get(address), self._failed.get(address)
        tried = max(held.tried_at if held else float("-inf"), failed[1] if failed else float("-inf"))
        return at - tried >= SPACING

    def _try(self, address: str, at: float) -> bool:
        before = self._held.get(address)
        if before is not None:
            before.tried_at = at
        try:
            value = self._fetch(address)
        except OutboundFailed as error:
            log.warning("%s.not_fetched", self._what, extra={"url": address, "error": str(error)})
            self._failed[address] = error, at
            return False
        self._failed.pop(address, None)
        self._generation += 1
        searched = before.searched_at if before is not None else float("-inf")
        self._held[address] = Held(value, self._generation, at, at, searched)
        return True

    def _failure(self, address: str) -> OutboundFailed:
        error = self._failed[address][0] if address in self._failed else None
        return OutboundFailed(str(error) if error else f"{address} was asked a moment ago, and is not asked again yet")

    def _lock(self, address: str) -> threading.Lock:
        if len(self._alone) > MOST:
            for each in list(self._alone)[: MOST // 2]:  # settings that were changed again and again
                lock = self._alone.get(each)
                if lock is not None and not lock.locked():
                    self._alone.pop(each, None)
                    self.forget(each)
        return self._alone.setdefault(address, threading.Lock())
