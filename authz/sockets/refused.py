"""A handshake that is refused, by a real answer of HTTP and never by a redirect."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Refused(Exception):
    """A handshake is answered by a status of HTTP, a stable word and a sentence, and no WebSocket is opened."""

    def __init__(self, status: int, code: str, detail: str, **headers: str) -> None:
        """Keep what is answered."""
        self.status, self.code, self.detail, self.headers = status, code, detail, headers
        super().__init__(detail)


async def deny(send: Send, refused: Refused) -> None:
    """Answer a handshake by a status and a reason (ASGI, WebSocket Denial Response); never by a redirect."""
    body = json.dumps({"error": refused.code, "detail": refused.detail}).encode()
    headers = {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "X-Auth-Reason": refused.code,
        **refused.headers,
    }
    pairs = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "websocket.http.response.start", "status": refused.status, "headers": pairs})
    await send({"type": "websocket.http.response.body", "body": body})
