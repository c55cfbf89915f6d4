"""What uvicorn is taught besides: to answer every handshake, and to hang up on a client that does not read."""

import asyncio
from asyncio.transports import BaseTransport
from collections.abc import Callable
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidHandshake, InvalidMethod
from websockets.frames import Frame
from websockets.http11 import Request

from authz.sockets.closing import LIMIT, Closing
from authz.sockets.pace import Pace

PATIENCE: Final = 15.0
"""Seconds that the head of a request may take to arrive, and as many its body."""
LINGER: Final = 5.0
"""Seconds that a client has to read our close frame and to answer it, before its connection is cut."""
PIECE: Final = 4096
"""Bytes that are read before it is asked whether there is enough."""
SMALL_PER_SECOND: Final = 200
"""Frames that carry no message of their own (pings, pongs, pieces) in a second, and ten times as many at once."""
WIRE: Final = "gatehouse.wire"
"""The extension of the ASGI scope by which an application reaches its `Wire`."""
BROKEN: Final = "gatehouse.broken_handshake"
"""The extension that says what is wrong with a handshake (RFC 6455 §4.2.1), once it is known who sends it."""
WHOLE: Final = {
    "Upgrade": ["websocket"],
    "Connection": ["Upgrade"],
    "Sec-WebSocket-Key": ["AAAAAAAAAAAAAAAAAAAAAA=="],
    "Sec-WebSocket-Version": ["13"],
    "Sec-WebSocket-Extensions": [],
    "Sec-WebSocket-Protocol": [],
}
"""What a broken handshake is given, so that it comes as far as its judge, who then refuses it."""

UNREADABLE: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n"
    b"Content-Length: 38\r\nConnection: close\r\n\r\nThis cannot be read as a WebSocket's.\n"
)


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
        """Begin to wait for the body."""
        self._wait()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().on_message_complete()

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
    deaf = False
    """Whether nothing that the client sends matters any more."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin."""
        super().connection_made(transport)
        self.waiting = bytearray()
        self.joined = bytearray()
        self.small = Pace(SMALL_PER_SECOND)
        self.patience = self.loop.call_later(PATIENCE, self.cut)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self.patience.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came, a little at a time, and no further than to a message that the application has yet to take.

        A chunk may hold tens of thousands of tiny frames, and reading them all would hold up everybody else.
        """
        if not self.deaf:
            self.waiting += data
            self._read()

    def _read(self) -> None:
        while self.waiting and not (self.read_paused or self.deaf):
            piece = bytes(self.waiting[:PIECE])
            del self.waiting[:PIECE]
            super().data_received(piece)
            if self.conn.handshake_exc is not None and not self.handshake_initiated:
                self._answer_no_handshake()

    def _answer_no_handshake(self) -> None:
        """Answer what cannot be read as a request for a WebSocket: it has a body, too many headers, or too long a line.

        What still comes is read and thrown away for a while, so that the answer is not lost (RFC 9112 §9.6).
        """
        self.deaf = self.close_sent = True
        said = b"".join(self.conn.data_to_send())  # a status of the library's own, or nothing
        self.transport.write(said or UNREADABLE)
        self.transport.write_eof()
        self._cut_soon()

    async def receive(self) -> Any:  # noqa: ANN401  an event of ASGI
        """Return the next event; only when all are taken, more is read."""
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self._read()
            if not self.read_paused:
                self.transport.resume_reading()
        return message

    def _is_too_much(self) -> bool:
        """Return whether this frame, which is no message, is one too many; the connection ends then."""
        if self.small.allows():
            return False
        self.deaf = True  # first, for hanging up reads on
        self.hang_up(LIMIT)
        return True

    def handle_cont(self, event: Frame) -> None:
        """Join a piece of a message to those before it, in no more memory than the message takes."""
        if self._is_too_much() or not self.frames:
            return
        self.joined = self.joined or bytearray(self.frames[0])
        self.joined += event.data
        if event.fin:
            self.frames = [bytes(self.joined)]
            self.joined = bytearray()
            self.send_receive_event_to_app()

    def handle_pong(self, event: Frame) -> None:
        """Take a pong."""
        if not self._is_too_much():
            super().handle_pong(event)

    def handle_close(self, event: Frame) -> None:
        """End as the client wants to; one that then does not read what was on its way is cut off."""
        super().handle_close(event)
        self._cut_soon()

    def handle_parser_exception(self) -> None:
        """End a connection that is no WebSocket."""
        super().handle_parser_exception()
        self.deaf = True
        self._cut_soon()

    def keepalive_timeout(self) -> None:
        """End a connection whose client does not answer pings."""
        super().keepalive_timeout()
        self._cut_soon()

    def on_task_complete(self, task: "asyncio.Task[None]") -> None:
        """End a connection that nobody serves any more."""
        super().on_task_complete(task)
        self._cut_soon()

    def shutdown(self) -> None:
        """Tell the client to come back elsewhere."""
        super().shutdown()
        self._cut_soon()

    def _cut_soon(self) -> None:
        self.loop.call_later(LINGER, self.cut)

    def handle_connect(self, event: Request) -> None:
        """Let the application reach us through its scope; its task begins only after this."""
        self.patience.cancel()
        broken = self._mended(event)
        super().handle_connect(event)
        if (scope := getattr(self, "scope", None)) is not None:
            scope["extensions"][WIRE] = self
            if broken:
                scope["extensions"][BROKEN] = broken

    def _mended(self, event: Request) -> str:
        """Return what is wrong with a handshake, and mend that; a method that opens none is left to the library."""
        try:
            self.conn.process_request(event)
        except InvalidMethod:
            return ""
        except InvalidHandshake as error:
            for name, values in WHOLE.items():
                if name in event.headers:
                    del event.headers[name]
                for value in values:
                    event.headers[name] = value
            return str(error)
        return ""

    def handle_ping(self) -> None:
        """Answer a ping, unless they pile up before a client that does not read; and tell of it."""
        if self._is_too_much():
            return
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
        self._cut_soon()
        if not self.handshake_complete or self.close_sent or self.transport.is_closing():
            return
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": closing.code, "reason": closing.reason})
        self.conn.send_close(closing.code, closing.reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.writable.set()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
        if self.read_paused:
            self.read_paused = False
            self._read()
            self.transport.resume_reading()

    def cut(self) -> None:
        """End the connection under whoever is still there."""
        self.transport.abort()


def broken(scope: dict[str, Any]) -> str:
    """Return what is wrong with a handshake; empty for one that is whole."""
    found: str = scope.get("extensions", {}).get(BROKEN, "")
    return found


def wire_of(scope: dict[str, Any]) -> Wire:
    """Return the wire of a WebSocket; KeyError if another server than ours runs this."""
    wire: Wire = scope["extensions"][WIRE]
    return wire
