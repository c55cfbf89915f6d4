"""Writes down who is connected to this process, for everybody who wants to know; nothing is decided by it."""

import asyncio
import logging
import os
import secrets
import socket

from django.db import DatabaseError, connection

from authz.changes import connections
from authz.changes.connections import Moved, Opened
from authz.sockets.held import Held
from authz.sockets.keeper import KEEPER, Keeper

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks at whether there is anything to tell."""
ALIVE_EVERY = 2
"""Looks after which the process says at least that it is alive."""
FORGET_EVERY = 60
"""Looks between two times that the rows of processes which are gone are taken away."""


class Roster:
    """What the tables know of a keeper's connections."""

    def __init__(self, keeper: Keeper = KEEPER) -> None:
        """Name this process: host, number, and something that a later process of that number does not have."""
        self.process = f"{socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(4)}"
        self._keeper = keeper
        self._told: dict[str, tuple[int, int, float]] = {}
        self._looks = 0

    async def keep(self) -> None:
        """Tell the tables until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.tell()
            except DatabaseError as error:
                log.warning("roster.not_told", extra={"error": str(error)})
            except Exception:
                log.exception("roster.failed")

    async def tell(self) -> None:
        """Write down what is new; raises DatabaseError, and keeps it for the next time."""
        held = list(self._keeper.all.values())
        opened = [each for each in held if each.id not in self._told]
        now = {each.id: _state(each) for each in held}
        moved = [
            Moved(id_, received, sent, ends, self._keeper.all[id_].standing.closing.reason)  # type: ignore[union-attr]  # admitted, so it stands
            for id_, (received, sent, ends) in now.items()
            if id_ in self._told and self._told[id_] != (received, sent, ends) and id_ in self._keeper.all
        ]
        closed = [id_ for id_ in self._told if id_ not in now]
        self._looks += 1
        if not (opened or moved or closed) and self._looks % ALIVE_EVERY:
            return
        rows = [_row(each) for each in opened]
        await asyncio.to_thread(self._write, rows, moved, closed, forget=self._looks % FORGET_EVERY == 0)
        # A row begins with no bytes; what came before it was written is told the next time.
        begun = {each.id for each in opened}
        self._told = {id_: (0, 0, state[2]) if id_ in begun else state for id_, state in now.items()}

    async def leave(self) -> None:
        """Take this process and all its connections out of the roster."""
        try:
            await asyncio.to_thread(self._forget)
        except DatabaseError as error:
            log.warning("roster.not_left", extra={"error": str(error)})

    def _write(self, opened: list[Opened], moved: list[Moved], closed: list[str], *, forget: bool) -> None:
        try:
            connections.note(self.process, opened=opened, moved=moved, closed=closed)
            if forget:
                connections.forget()
        finally:
            connection.close()

    def _forget(self) -> None:
        try:
            connections.forget(self.process)
        finally:
            connection.close()


def _state(held: Held) -> tuple[int, int, float]:
    return held.received, held.sent, held.standing.until if held.standing is not None else held.opened


def _row(held: Held) -> Opened:
    *_, ends = _state(held)
    return Opened(
        id=held.id,
        kind=held.kind.value,
        person=held.who.person,
        server=held.server,
        credential=held.who.credential,
        address=held.address,
        origin=held.origin,
        opened=held.opened,
        ends=min(ends, held.opened + 10 * 365 * 86_400),
        because=held.standing.closing.reason if held.standing is not None else "",
    )
