"""How many connections somebody may have, and how fast they may come; counted in this process."""

from collections import Counter
from collections.abc import Callable
from time import monotonic
from typing import Any

from django.conf import settings

MOST_REMEMBERED = 65_536
"""Addresses whose haste is remembered; beyond that all are forgotten, which is kind to strangers and harms nobody."""


class Haste:
    """Lets each caller do so much in a minute, and as much again at once (a token bucket for each)."""

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = monotonic) -> None:
        """Begin knowing nobody."""
        self._most = float(per_minute)
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def allows(self, who: str) -> bool:
        """Return whether this once is within the limit, and count it."""
        now = self._clock()
        left, since = self._left.get(who, (self._most, now))
        left = min(self._most, left + (now - since) * self._most / 60)
        if len(self._left) >= MOST_REMEMBERED:
            self._left.clear()
        self._left[who] = (left - 1 if left >= 1 else left, now)
        return left >= 1


class Limits:
    """Counts the connections of this process: for each person, for each address, and in all."""

    def __init__(self) -> None:
        """Begin with none."""
        self._people: Counter[int] = Counter()
        self._addresses: Counter[str] = Counter()
        self._all = 0
        self._haste = Haste(settings.AUTHZ_SOCKET_HANDSHAKES_PER_MINUTE)

    def handshake(self, address: str) -> bool:
        """Return whether this address may try to connect now."""
        return self._haste.allows(address)

    def enter(self, person: int, address: str) -> bool:
        """Count a connection, unless there are too many; whoever entered must leave once."""
        if (
            self._all >= settings.AUTHZ_SOCKET_MOST
            or self._people[person] >= settings.AUTHZ_SOCKET_MOST_PER_PERSON
            or self._addresses[address] >= settings.AUTHZ_SOCKET_MOST_PER_ADDRESS
        ):
            return False
        self._all += 1
        self._people[person] += 1
        self._addresses[address] += 1
        return True

    def leave(self, person: int, address: str) -> None:
        """Count one less."""
        self._all -= 1
        both: tuple[tuple[Counter[Any], Any], ...] = ((self._people, person), (self._addresses, address))
        for counted, key in both:
            counted[key] -= 1
            if counted[key] <= 0:
                del counted[key]


LIMITS = Limits()
