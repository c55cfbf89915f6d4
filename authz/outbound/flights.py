"""Fetches on threads of its own: one for each address at a time, and few for one host, so that none takes them all.

Whoever waits for an address that is being fetched waits for the same, and holds no thread meanwhile.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final
from urllib.parse import urlsplit

from authz.errors import OutboundFailed

THREADS: Final = 16
PER_HOST: Final = 2
WAITING: Final = 200
"""Addresses that wait for a thread; beyond that a fetch fails at once."""


class Flights:
    """The fetches that are under way, and those that wait for a thread."""

    def __init__(self, *, threads: int = THREADS, per_host: int = PER_HOST, waiting: int = WAITING) -> None:
        """Begin with none."""
        self._threads, self._per_host, self._most_waiting = threads, per_host, waiting
        self._guard = threading.Lock()
        self._under_way: dict[str, Future[None]] = {}
        self._flying: Counter[str] = Counter()
        """How many threads each host has."""
        self._waiting: deque[tuple[str, str, Callable[[], object]]] = deque()

    def begin(self, address: str, fetch: Callable[[], object]) -> "Future[None]":
        """Return what is done when an address was fetched, whoever began it; it cannot be cancelled."""
        with self._guard:
            if (known := self._under_way.get(address)) is not None:
                return known
            made: Future[None] = Future()
            made.set_running_or_notify_cancel()  # many may wait for it: none of them ends it for the others
            if len(self._waiting) >= self._most_waiting:
                made.set_exception(OutboundFailed(f"too many addresses are waited for to ask {address} as well"))
                return made
            self._under_way[address] = made
            self._waiting.append((_host(address), address, fetch))
            self._start()
            return made

    def _start(self) -> None:
        """Give each that may begin a thread; the guard is held."""
        for _ in range(len(self._waiting)):
            host, address, fetch = self._waiting.popleft()
            if self._flying.total() < self._threads and self._flying[host] < self._per_host:
                self._flying[host] += 1
                try:
                    threading.Thread(target=self._fly, args=(host, address, fetch), name="fetch", daemon=True).start()
                except RuntimeError as error:  # the machine has no more threads
                    self._land(host)
                    failed = OutboundFailed(f"there is no thread to ask {address}: {error}")
                    self._under_way.pop(address).set_exception(failed)
            else:
                self._waiting.append((host, address, fetch))

    def _fly(self, host: str, address: str, fetch: Callable[[], object]) -> None:
        failure: BaseException | None = None
        try:
            fetch()
        except BaseException as error:  # noqa: BLE001  whoever waits is told
            failure = error
        with self._guard:
            done = self._under_way.pop(address)
            self._land(host)
        if failure is None:
            done.set_result(None)
        else:
            done.set_exception(failure)
        with self._guard:
            self._start()

    def _land(self, host: str) -> None:
        """Give a thread back; the guard is held."""
        self._flying[host] -= 1
        self._flying += Counter()  # forgets hosts that have none


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc.rpartition("@")[2].lower()
    except ValueError:
        return address


FLIGHTS: Final = Flights()
