"""The WebSockets' part of the ASGI application: a handshake is judged, refused by a real answer or served, and left."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from authz.sockets.handshake import admitted
from authz.sockets.held import Kind
from authz.sockets.refused import Refused, deny
from authz.sockets.relay import Relay
from authz.sockets.rpc.consumer import Rpc

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]

KINDS: Final = {Kind.RELAY: Relay.as_asgi(), Kind.RPC: Rpc.as_asgi()}
"""Which consumer serves which kind of connection."""


async def websocket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Serve one WebSocket from its handshake to its end."""
    try:
        made = await admitted(scope)
    except Refused as refused:
        await deny(send, refused)
        return
    try:
        await KINDS[made.held.kind](
            scope | {"held": made.held, "upstream": made.upstream, "told": made.told, "notices": made.notices},
            receive,
            send,
        )
    finally:
        made.leave()
