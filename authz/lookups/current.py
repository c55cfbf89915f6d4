"""The World of this process: loaded once, then kept current by the change log.

A process that serves starts `keep_current`, a thread that looks at the revision row every poll interval; from then on
`current_world` is a plain read of memory. A process that does not (a command, a test) looks before each answer.
"""

import logging
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from authz.conf import hot
from authz.decisions.facts import Fact
from authz.decisions.world import World
from authz.errors import Behind, Unavailable
from authz.lookups.build import advanced, build, changes_from, facts_in, revision_now

log = logging.getLogger(__name__)


Hearing = Callable[[World, World, "tuple[Fact, ...] | None"], None]


class Current:
    """Holds one World and replaces it by a newer one; readers need no lock, for a World never changes."""

    def __init__(self) -> None:
        """Begin without a World: nothing is known, so nothing can be answered."""
        self.world: World | None = None
        self.looked_at = float("-inf")
        """Monotonic time at which the tables last said that nothing newer exists."""
        self.kept = False
        """Whether a thread keeps the World current."""
        self.heard: list[Hearing] = []
        """Who is told of each new World: the one before, the new one, and the facts between them, or None where only
        a look at everything tells. Called in the thread that looked, one World after another."""
        self._facts: tuple[Fact, ...] | None = None
        self._lock = threading.Lock()

    def look(self, *, spacing: float = 0.0) -> World:
        """Return the World as of now, having asked the database, unless that was done in the last `spacing` seconds.

        Raises DatabaseError if it cannot be asked, Unavailable if the tables contradict themselves.
        """
        if connection.in_atomic_block:
            # What an open transaction sees may yet be rolled back: it is answered from, and never kept.
            return self._newest(None)
        asked = time.monotonic()
        if self.world is not None and asked - self.looked_at < spacing:
            return self.world
        with self._lock:
            # Whoever waited for the lock while another thread looked may use what it found, if it looked since.
            if self.world is not None and self.looked_at >= asked:
                return self.world
            started = time.monotonic()
            try:
                newest = self._newest(self.world)
            except (DatabaseError, InterfaceError):
                # A thread keeps its connection, and the server may have hung up on it: once more, with a new one.
                connection.close()
                newest = self._newest(self.world)
            before, self.world = self.world, newest
            self.looked_at = started
            if before is not None and before is not newest:
                self._tell(before, newest)
            return newest

    def _tell(self, before: World, after: World) -> None:
        """Tell whoever listens; what one of them makes of it must not keep the World from moving on."""
        if not self.heard:
            return
        facts = self._facts
        self._facts = None
        for hear in self.heard:
            try:
                hear(before, after, facts)
            except Exception:
                log.exception("world.not_told")

    def _newest(self, world: World | None) -> World:
        self._facts = None
        if world is None:
            return build()
        now = revision_now()
        if now == (world.revision, world.mark, world.epoch):
            return world
        if now.epoch == world.epoch and now.revision > world.revision:
            changes = changes_from(world.revision)
            following = advanced(world, changes)
            if following is not None and following.revision >= now.revision:
                news = changes[1:] if world.revision else changes
                self._facts = tuple(fact for *_, text in news for fact in facts_in(text))
                return following
        log.warning("world.rebuilt", extra={"held": world.revision, "newest": now.revision})
        return build()

    def now(self) -> World:
        """Return the World to decide by; Unavailable if there is none, or none fresh enough."""
        if not self.kept:
            return self.look()
        world = self.world
        if world is None or time.monotonic() - self.looked_at > hot.staleness:
            message = "the database has not been reached for too long to answer"
            raise Unavailable(message)
        return world

    def at_least(self, revision: int, epoch: str) -> World:
        """Return a World that knows `revision`, looking once more if need be; Behind if there is none yet."""
        world = self.now()
        if world.epoch == epoch and world.revision < revision:
            try:
                world = self.look()
            except DatabaseError as error:
                message = "the database cannot be reached to see that revision"
                raise Behind(message) from error
        if world.epoch != epoch or world.revision < revision:
            message = f"this process knows revision {world.epoch}.{world.revision} and not {epoch}.{revision}"
            raise Behind(message)
        return world

    def forget(self) -> None:
        """Begin again without a World."""
        self.world, self.looked_at = None, float("-inf")


CURRENT = Current()

NUDGED = threading.Event()
"""Set to have this process look at once; it looks soon enough without."""


def current_world() -> World:
    """Return the World to decide by; Unavailable if there is none, or none fresh enough."""
    return CURRENT.now()


def keep_current(stop: threading.Event) -> threading.Thread:
    """Load the World, then start the thread that keeps it current until `stop` is set."""
    CURRENT.look()
    CURRENT.kept = True

    def poll() -> None:
        while True:
            NUDGED.wait(settings.AUTHZ_POLL_INTERVAL_MS / 1000)
            NUDGED.clear()
            if stop.is_set():
                break
            try:
                CURRENT.look()
            except (DatabaseError, InterfaceError, Unavailable) as error:
                log.warning("world.unreachable", extra={"error": str(error)})
                connection.close()
                close_old_connections()
            except Exception:
                # Whatever this is, a thread that died here would leave a World that silently grows old.
                log.exception("world.failed")
                connection.close()
        connection.close()

    thread = threading.Thread(target=poll, name="world", daemon=True)
    thread.start()
    return thread
