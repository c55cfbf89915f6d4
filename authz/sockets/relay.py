"""Carries a WebSocket to the application it leads to, and ends both halves when the right to it ends.

Messages are carried one at a time in each direction, each only when the one before has been taken; so whoever reads
slowly slows down the other side, and a connection never holds more than a few messages.
"""

import asyncio
import json
import logging
from contextlib import suppress
from typing import Any, Final

from channels.exceptions import StopConsumer
from django.conf import settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.typing import Origin

from authz.sockets.closing import UPSTREAM, Closing
from authz.sockets.consumer import Consumer
from authz.sockets.keeper import KEEPER
from authz.sockets.refused import Refused, deny

log = logging.getLogger(__name__)

OPENING: Final = 10.0
"""Seconds that an application has to answer the handshake."""
ENDING: Final = 5.0
"""Seconds that it has to answer a close frame."""
QUEUED: Final = 2
"""Messages of the application that wait to be carried; more wait in its own buffers."""
UNSENDABLE: Final = frozenset({1005, 1006, 1015})
"""Codes that stand for the absence of one (RFC 6455 §7.4.1)."""
NORMAL: Final = 1000
GOING_AWAY: Final = 1001


class Upstream(ClientConnection):
    """The half of a relayed connection that leads to the application; it tells of pings, which are carried on."""

    pinged: Any = None

    def process_event(self, event: Any) -> None:  # noqa: ANN401  as websockets has it
        """Tell of a ping; it is answered by the library itself."""
        super().process_event(event)
        if self.pinged is not None and isinstance(event, Frame) and event.opcode is Opcode.PING:
            self.pinged()


class Direct(connect):
    """Connects to exactly the address that is registered: a redirect would take the identity headers elsewhere."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Follow none."""
        return exc


class Relay(Consumer):
    """Serves one relayed WebSocket."""

    upstream: Upstream | None = None
    down: asyncio.Task[None] | None = None
    pinging = False

    async def websocket_connect(self, _message: dict[str, Any]) -> None:
        """Connect to the application first: a client is only let in to what is there."""
        try:
            self.upstream = await self._connected()
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI, WebSocketException) as error:
            log.warning("relay.unreachable", extra={"upstream": self.scope["upstream"], "error": str(error)})
            await deny(self.send, Refused(502, "upstream", "The application behind cannot be reached."))
            raise StopConsumer from error
        held, wire = self.held, self.wire
        if held.is_over:
            self._let_go(GOING_AWAY, "")
            await deny(self.send, Refused(403, "revoked", "The right to this ended just now."))
            raise StopConsumer
        await self.send({"type": "websocket.accept", "subprotocol": self.upstream.subprotocol})
        held.on_end = self._end
        held.on_notice = self._notice if self.scope["notices"] else _untold
        wire.pinged, self.upstream.pinged = self._ping_upstream, wire.ping
        if held.ended is not None:  # while the client was accepted
            self._end(held.ended)
            return
        self.down = asyncio.create_task(self._carry_down(self.upstream))

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        """Carry a message to the application; nothing, once the connection was ended."""
        if self.held.ended is not None or self.upstream is None:
            return
        data = message.get("text")
        if data is None:
            data = message["bytes"]
        self.held.received += len(data)
        KEEPER.used(self.held)
        with suppress(ConnectionClosed):  # the other half tells the client how
            await self.upstream.send(data)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        """End the application's half as the client ended its own."""
        code = message.get("code") or NORMAL
        if not self.held.is_over:
            self._let_go(GOING_AWAY if code in UNSENDABLE else code, message.get("reason") or "")
        raise StopConsumer

    def left(self) -> None:
        """Carry nothing any more; whoever went without a word is away."""
        if self.down is not None:
            self.down.cancel()
        self._let_go(GOING_AWAY, "")

    async def _connected(self) -> Upstream:
        largest = settings.AUTHZ_SOCKET_LARGEST_MESSAGE
        opened = await Direct(
            self.scope["upstream"],
            additional_headers=self.scope["told"],
            subprotocols=self.scope["subprotocols"] or None,
            origin=Origin(self.held.origin) if self.held.origin else None,
            user_agent_header=None,
            compression=None,
            proxy=None,
            open_timeout=OPENING,
            close_timeout=ENDING,
            max_size=largest,
            max_queue=QUEUED,
            create_connection=Upstream,
        )
        if not isinstance(opened, Upstream):
            raise TypeError("the library made a connection of another kind")
        return opened

    async def _carry_down(self, upstream: Upstream) -> None:
        """Carry what the application says to the client, until one of them ends."""
        try:
            async for message in upstream:
                if self.held.ended is not None:
                    return
                self.held.sent += len(message)
                kind = "text" if isinstance(message, str) else "bytes"
                await self.send({"type": "websocket.send", kind: message})
        except (ConnectionClosed, OSError):
            pass  # told below
        except Exception as error:  # noqa: BLE001  uvicorn has its own for a client that went, and none that is public
            log.info("relay.client_gone", extra={"error": str(error)})
            return
        code = upstream.close_code
        if code is None or code == 1006:  # noqa: PLR2004  RFC 6455 §7.4.1: it went without a word
            self.wire.hang_up(UPSTREAM)
        else:
            self.wire.hang_up(Closing(NORMAL if code in UNSENDABLE else code, upstream.close_reason or ""))

    def _end(self, closing: Closing) -> None:
        """Hang up on the client, and tell the application that it went away."""
        if self.down is not None:
            self.down.cancel()
        self.wire.hang_up(closing)
        self._let_go(GOING_AWAY, closing.reason)

    def _let_go(self, code: int, reason: str) -> None:
        """Close the application's half, without anybody waiting for it."""
        if (upstream := self.upstream) is not None:
            self.upstream = None
            _in_the_background(upstream.close(code, reason[:100]))

    def _notice(self, closing: Closing, seconds: float) -> None:
        said = {"type": "gatehouse.ending", "code": closing.code, "reason": closing.reason, "seconds": round(seconds)}
        self.wire.tell(json.dumps(said))

    def _ping_upstream(self) -> None:
        """Carry on a ping, unless one is on its way: they carry nothing, and a flood of them is nobody's business."""
        if (upstream := self.upstream) is not None and not self.pinging:
            self.pinging = True
            _in_the_background(self._pinged(upstream))

    async def _pinged(self, upstream: Upstream) -> None:
        with suppress(ConnectionClosed):
            await (await upstream.ping())
        self.pinging = False


def _untold(_closing: Closing, _seconds: float) -> None:
    """Tell nothing: the clients of this application would not understand it."""


_tasks: set[asyncio.Task[None]] = set()


def _in_the_background(work: Any) -> None:  # noqa: ANN401  any coroutine
    task = asyncio.get_running_loop().create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
