"""What uvicorn is taught besides: to give up on slow handshakes, and to hang up on a client that does not read."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from authz.sockets.closing import Closing

PATIENCE: Final = 15.0
"""Seconds that the head of a request may take to arrive."""
LINGER: Final = 5.0
"""Seconds that a client has to read our close frame and to answer it, before its connection is cut."""
WIRE: Final = "gatehouse.wire"
"""The extension of the ASGI scope by which an application reaches its `Wire`."""


class PatientHttp(HttpToolsProtocol):
    """HTTP, and the first half of a WebSocket's handshake, for clients that send their request in a reasonable time."""

    patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait()

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of a head."""
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._wait_no_more()
        self.patience = self.loop.call_later(PATIENCE, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self.patience is not None:
            self.patience.cancel()
            self.patience = None


class Wire(WebSocketsSansIOProtocol):
    """A WebSocket that can be hung up at once, also while the application waits for its client to read."""

    pinged: Callable[[], None] | None = None
    """Called when the client pings."""

    def handle_connect(self, event: Request) -> None:
        """Let the application reach us through its scope; its task begins only after this."""
        super().handle_connect(event)
        if (scope := getattr(self, "scope", None)) is not None:
            scope["extensions"][WIRE] = self

    def handle_ping(self) -> None:
        """Answer a ping, unless they pile up before a client that does not read; and tell of it."""
        if not self.writable.is_set():
            self.cut()
            return
        super().handle_ping()
        if self.pinged is not None:
            self.pinged()

    def ping(self) -> None:
        """Ping the client besides the pings that keep the connection alive; its pong is nobody's business."""
        if self.handshake_complete and not self.close_sent and self.writable.is_set():
            self.conn.send_ping(b"")
            self.transport.write(b"".join(self.conn.data_to_send()))

    def tell(self, text: str) -> None:
        """Send a text at once, unless the client does not read what it was sent before."""
        if self.handshake_complete and not self.close_sent and self.writable.is_set():
            self.conn.send_text(text.encode())
            self.transport.write(b"".join(self.conn.data_to_send()))

    def hang_up(self, closing: Closing) -> None:
        """Send a close frame behind whatever is on its way; after that nothing is sent, and nothing received."""
        if not self.handshake_complete or self.close_sent or self.transport.is_closing():
            return
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": closing.code, "reason": closing.reason})
        self.conn.send_close(closing.code, closing.reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.writable.set()
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
        self.loop.call_later(LINGER, self.cut)

    def cut(self) -> None:
        """End the connection under whoever is still there."""
        self.transport.abort()


def wire_of(scope: dict[str, Any]) -> Wire:
    """Return the wire of a WebSocket; KeyError if another server than ours runs this."""
    wire: Wire = scope["extensions"][WIRE]
    return wire
