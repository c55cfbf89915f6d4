"""Tells other processes through Redis, if there is one, that something changed, so that they look at once.

Only a nudge: it carries nothing, and where it is lost, or Redis is, every process looks by itself soon enough. So
nothing here ever waits for Redis in anybody's way, and nothing here can fail a change.
"""

import asyncio
import logging

from channels.layers import get_channel_layer

from authz.lookups.current import NUDGED
from authz.signals import changed

log = logging.getLogger(__name__)

GROUP = "gatehouse.changes"
AGAIN_AFTER = 1.0
"""Seconds after which a Redis that failed is tried again."""
PATIENCE = 2.0
"""Seconds that telling Redis may take."""


class Nudges:
    """Sends and hears nudges in one event loop."""

    def __init__(self) -> None:
        """Begin without."""
        self._layer = get_channel_layer()
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> list["asyncio.Task[None]"]:
        """Return the tasks that do it; none without Redis."""
        if self._layer is None:
            return []
        self._loop = asyncio.get_running_loop()
        changed.connect(self._note, weak=False, dispatch_uid="authz.nudge")
        return [asyncio.create_task(self._send()), asyncio.create_task(self._hear())]

    def stop(self) -> None:
        """Send no more."""
        changed.disconnect(dispatch_uid="authz.nudge")
        self._loop = None

    def _note(self, **_: object) -> None:
        """Note that something was committed; called in whichever thread did."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._changed.set)

    async def _send(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._layer.group_send(GROUP, {"type": "changed"})
            except Exception as error:  # noqa: BLE001  whatever a broken Redis makes of it
                log.warning("nudge.not_sent", extra={"error": str(error)})

    async def _hear(self) -> None:
        while True:
            try:
                name = await self._layer.new_channel()
                await self._layer.group_add(GROUP, name)
                NUDGED.set()  # first listen, then look: what was sent before nobody heard
                while True:
                    await self._layer.receive(name)
                    NUDGED.set()
            except Exception as error:  # noqa: BLE001  whatever a broken Redis makes of it
                log.warning("nudge.not_heard", extra={"error": str(error)})
            await asyncio.sleep(AGAIN_AFTER)
