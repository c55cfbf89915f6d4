"""How fast one client may speak: so many messages in a second, and ten times as many at once."""

from collections.abc import Callable
from time import monotonic
from typing import Final

AT_ONCE: Final = 10
"""Seconds' worth of messages that may come together: a client that connects has much to ask."""


class Pace:
    """A bucket that fills steadily, and from which each message takes."""

    __slots__ = ("_clock", "_left", "_per_second", "_since")

    def __init__(self, per_second: float, *, clock: Callable[[], float] = monotonic) -> None:
        """Begin with a full bucket."""
        self._per_second = per_second
        self._clock = clock
        self._left = per_second * AT_ONCE
        self._since = clock()

    def allows(self, messages: int = 1) -> bool:
        """Return whether so many messages may come now, and take them if so."""
        now = self._clock()
        self._left = min(self._per_second * AT_ONCE, self._left + (now - self._since) * self._per_second)
        self._since = now
        if messages > self._left:
            return False
        self._left -= messages
        return True
