"""Remembers when sessions and keys were last used, and writes it down now and then.

A request only sets an item of a dictionary. A thread carries what is new to the tables every few seconds and reads
what other processes carried there, so that a session that is busy elsewhere does not idle out here. A process that
is killed loses some seconds of it; nothing depends on that but an idle limit, which then ends a little early.
"""

import logging
import threading

from django.db import DatabaseError, connection

from audit.context import Actor
from authz.changes import sessions, usage
from authz.lookups.current import CURRENT
from authz.lookups.last_use import sessions_seen_since

log = logging.getLogger(__name__)

BY = Actor.system("session keeper")
CARRY_EVERY = 10.0
"""Seconds between two writes: what an idle limit may be off by after a crash."""
OVERLAP = 3 * CARRY_EVERY
"""Seconds that two reads overlap, because what another process writes is as old as its last use."""


class Usage:
    """The last use of each session and key, in seconds since the epoch, as far as this process knows."""

    def __init__(self) -> None:
        """Begin knowing nothing."""
        self.forget()

    def forget(self) -> None:
        """Begin again knowing nothing."""
        self._sessions: dict[int, float] = {}
        self._keys: dict[int, float] = {}
        self._carried: dict[int, float] = {}
        self._carried_keys: dict[int, float] = {}
        self._read_up_to = 0.0

    def session_used(self, number: int, at: float) -> None:
        """Note that a session was used."""
        self._sessions[number] = at

    def key_used(self, number: int, at: float) -> None:
        """Note that a key was used."""
        self._keys[number] = at

    def session_seen(self, number: int) -> float:
        """Return when a session was last used, or 0.0 if that is not known here."""
        return self._sessions.get(number, 0.0)

    def carry(self) -> None:
        """Write down what is new, and read what other processes wrote; raises DatabaseError and keeps it for later."""
        sessions = {number: at for number, at in list(self._sessions.items()) if self._carried.get(number) != at}
        keys = {number: at for number, at in list(self._keys.items()) if self._carried_keys.get(number) != at}
        usage.note(sessions=sessions, keys=keys)
        self._carried.update(sessions)
        self._carried_keys.update(keys)
        for number, at in sessions_seen_since(self._read_up_to - OVERLAP):
            self._read_up_to = max(self._read_up_to, at)
            if at > self._sessions.get(number, 0.0):
                self._sessions[number] = self._carried[number] = at
        self._forget_the_ended()

    def _forget_the_ended(self) -> None:
        if (world := CURRENT.world) is None:
            return
        for number in [number for number in list(self._sessions) if number not in world.session_digests]:
            self._sessions.pop(number, None)
            self._carried.pop(number, None)
        for number in [number for number in list(self._keys) if number not in world.key_digests]:
            self._keys.pop(number, None)
            self._carried_keys.pop(number, None)


USAGE = Usage()


def keep_usage(stop: threading.Event) -> threading.Thread:
    """Start the thread that carries the last uses until `stop` is set, and once more then."""

    def carry() -> None:
        ended = False
        while not ended:
            ended = stop.wait(CARRY_EVERY)
            try:
                USAGE.carry()
                sessions.end_expired(by=BY)
            except DatabaseError as error:
                log.warning("usage.not_carried", extra={"error": str(error)})
            except Exception:
                log.exception("usage.failed")
            finally:
                connection.close()

    thread = threading.Thread(target=carry, name="usage", daemon=True)
    thread.start()
    return thread
