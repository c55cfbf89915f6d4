"""Who opens a connection, where a credential may need a moment before it can be judged."""

import asyncio
from collections.abc import Callable
from functools import partial

from django.db import connection

from authz.credentials import Presented, Unsettled, identify
from authz.credentials.settling import settling
from authz.decisions.vocabulary import Principal
from authz.decisions.world import World
from authz.errors import BadCredential
from authz.lookups.current import current_world


async def identified(presented: Presented, world: World, at: float) -> tuple[Principal | None, World]:
    """Return who shows this, and the World that tells it; BadCredential as `identify` raises it.

    What is unsettled is settled in a thread, so that other connections go on; what is still unsettled then is refused.
    """
    try:
        return identify(presented, world, at), world
    except Unsettled as error:
        slowly = Unsettled(partial(_settle, error.settle), address=error.address)
        await asyncio.gather(settling(slowly, asyncio.get_running_loop()), return_exceptions=True)
    world = current_world()
    try:
        return identify(presented, world, at), world
    except Unsettled as error:
        raise BadCredential(str(error)) from None


def _settle(settle: Callable[[], object]) -> None:
    try:
        settle()
    finally:
        connection.close()
