"""Lets what is unsettled settle in a thread, while an event loop goes on."""

import asyncio
from typing import Any

from authz.credentials.contract import Unsettled
from authz.outbound.flights import FLIGHTS


def settling(unsettled: Unsettled, loop: asyncio.AbstractEventLoop) -> "asyncio.Future[Any]":
    """Return what is done when it has settled; many who wait for one fetch take no thread but its own."""
    if unsettled.address:
        return asyncio.wrap_future(FLIGHTS.begin(unsettled.address, unsettled.settle), loop=loop)
    return loop.run_in_executor(None, unsettled.settle)
