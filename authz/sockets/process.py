"""What a process that holds connections does besides: it keeps them, tells the roster, and hears of changes at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from authz.sockets.closing import RESTART
from authz.sockets.keeper import KEEPER
from authz.sockets.nudge import Nudges
from authz.sockets.roster import Roster


@asynccontextmanager
async def connections_kept() -> AsyncIterator[None]:
    """Keep the connections of this event loop until the block ends; then tell all of them to come back elsewhere."""
    roster, nudges = Roster(), Nudges()
    KEEPER.start(asyncio.get_running_loop())
    work = [asyncio.create_task(roster.keep()), *nudges.start()]
    try:
        yield
    finally:
        await KEEPER.stop(RESTART)
        nudges.stop()
        for each in work:
            each.cancel()
            with suppress(asyncio.CancelledError):
                await each
        await roster.leave()
