"""JSON-RPC over a WebSocket."""

import asyncio
import logging
from typing import Any

from channels.exceptions import StopConsumer
from django.conf import settings

from authz.sockets.closing import TEXT_ONLY
from authz.sockets.consumer import Consumer
from authz.sockets.keeper import KEEPER
from authz.sockets.rpc.talk import Talk

log = logging.getLogger(__name__)


class Rpc(Consumer):
    """Serves one connection of the JSON-RPC interface."""

    talk: Talk
    news: asyncio.Task[None] | None = None

    async def websocket_connect(self, _message: dict[str, Any]) -> None:
        """Let the client in."""
        await self.send({"type": "websocket.accept"})
        self.talk = Talk(
            self.held,
            self._say,
            self.wire.hang_up,
            per_second=settings.AUTHZ_SOCKET_MESSAGES_PER_SECOND,
            largest=settings.AUTHZ_SOCKET_LARGEST_MESSAGE,
        )
        if self.held.ended is not None:  # while it was let in
            self.wire.hang_up(self.held.ended)
        self.news = asyncio.create_task(self._tell())

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        """Answer a message."""
        if (text := message.get("text")) is None:
            KEEPER.end(self.held, TEXT_ONLY)
        elif not self.held.is_over:
            await self.talk.heard(text)

    async def websocket_disconnect(self, _message: dict[str, Any]) -> None:
        """End."""
        raise StopConsumer

    def left(self) -> None:
        """Tell nothing any more."""
        if self.news is not None:
            self.news.cancel()

    async def _say(self, text: str) -> None:
        await self.send({"type": "websocket.send", "text": text})

    async def _tell(self) -> None:
        try:
            await self.talk.tell()
        except Exception as error:  # noqa: BLE001  uvicorn has its own for a client that went, and none that is public
            log.info("rpc.client_gone", extra={"error": str(error)})
