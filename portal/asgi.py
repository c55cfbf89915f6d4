"""HTTP, the edge and WebSockets meet here."""

import asyncio
import os
import re
import threading
from typing import Any, Final

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django = get_asgi_application()

from authz.credentials.usage import keep_usage  # noqa: E402  needs the apps that the line above loads
from authz.edge import asgi as edge  # noqa: E402
from authz.edge.recording import close_spool  # noqa: E402
from authz.lookups.current import keep_current  # noqa: E402
from authz.sockets.application import websocket  # noqa: E402
from authz.sockets.process import connections_kept  # noqa: E402
from portal.bodies import Bounded  # noqa: E402

HIDDEN: Final = re.compile(rb"%(?:2f|5c)", re.IGNORECASE)
"""A slash or a backslash that is written so that a proxy may not see it, and Django does: no page of ours has one."""


async def application(scope: dict[str, Any], receive: edge.Receive, send: edge.Send) -> None:
    """Answer the edge's paths at once, leave other pages to Django, and refuse WebSockets that lead nowhere."""
    if scope["type"] == "http":
        if (judge := edge.edge_judge(scope)) is not None:
            await edge.answer(scope, receive, send, judge)
        else:
            # Before the first query, and before anything is counted for anybody.
            if HIDDEN.search(scope.get("raw_path") or b""):
                await _refuse(404, b"There is nothing here.\n", receive, send)
                return
            if (as_told := edge.behind_proxy(scope)) is None:
                await _refuse(
                    400, b"A header came twice, imitates another, or names no client address.\n", receive, send
                )
                return
            bounded = Bounded(as_told, receive)
            if not bounded.exceeded:
                await django(as_told, bounded.receive, send)  # type: ignore[arg-type]  # Mapping or dict
            if bounded.exceeded:
                await bounded.refuse(send)
    elif scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["type"] == "websocket":
        if (judge := edge.edge_judge(scope)) is not None:
            await receive()
            await edge.answer(scope, receive, send, judge)
        else:
            await websocket(scope, receive, send)


async def _refuse(status: int, said: bytes, receive: edge.Receive, send: edge.Send) -> None:
    """Answer what two readers may have read in two ways."""
    await receive()
    size = str(len(said)).encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", size), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": said})


async def _live(receive: edge.Receive, send: edge.Send) -> None:
    """Load the World before the first request, and keep it current until the last (ASGI lifespan)."""
    ended = threading.Event()
    await receive()
    try:
        await asyncio.to_thread(keep_current, ended)
    except Exception as error:  # noqa: BLE001  whatever it is, the server must not start
        await send({"type": "lifespan.startup.failed", "message": f"the World cannot be loaded: {error}"})
        return
    usage = keep_usage(ended)
    async with connections_kept():
        await send({"type": "lifespan.startup.complete"})
        await receive()
    ended.set()
    await asyncio.to_thread(usage.join, 5)
    close_spool()
    await send({"type": "lifespan.shutdown.complete"})
