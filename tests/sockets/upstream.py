"""An application behind the relay that knows nothing of us: it tells what it was told, and does what it is asked."""

import asyncio
import json
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.typing import Subprotocol

from tests.patience import HANG

QUIET = logging.getLogger("tests.upstream")
QUIET.setLevel(logging.ERROR)


class Listening(ServerConnection):
    """Counts pings."""

    def process_event(self, event: Any) -> None:
        """Count one."""
        super().process_event(event)
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            self.application.pings += 1

    application: "Application"


def _chosen(_connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Return the one of the client's that this application speaks."""
    return Subprotocol("chat.v2") if "chat.v2" in offered else None


class Application:
    """A WebSocket server in a thread of its own."""

    def __init__(self) -> None:
        self.url = ""
        self.pings = 0
        self.said = 0
        """Messages that it has sent because it was asked for many."""
        self.closes: list[tuple[int | None, str]] = []
        """How each connection ended, as it saw it."""
        self.open: set[ServerConnection] = set()
        self.stalled = False
        self._loop = asyncio.new_event_loop()
        self._server: Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="upstream")

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        self.do(self._listen())

    def stop(self) -> None:
        """End, as one that is killed does: without a word."""
        self.hang_up()
        self.do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(HANG)
        assert not self._thread.is_alive()
        self._loop.close()

    def hang_up(self) -> None:
        """Hang up on everybody without a word, and return when they are gone."""
        self.stalled = False
        self.do(self._hang_up())

    def do(self, work: Any) -> Any:
        """Run something in its thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(HANG)

    async def _listen(self) -> None:
        Listening.application = self
        self._server = await serve(
            self._serve, "127.0.0.1", 0, select_subprotocol=_chosen, max_size=2**26, ping_interval=None,
            create_connection=Listening, logger=QUIET, compression=None,
        )  # fmt: skip
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{port}/ws"

    async def _hang_up(self) -> None:
        while self.open:
            for each in list(self.open):
                each.transport.abort()
            await asyncio.sleep(0.01)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close(close_connections=False)
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)

    async def _serve(self, connection: ServerConnection) -> None:
        self.open.add(connection)
        try:
            async for message in connection:
                await self._answer(connection, message)
                while self.stalled:  # noqa: ASYNC110  a test in another thread says so
                    await asyncio.sleep(0.05)
        except ConnectionClosed:
            pass
        finally:
            self.open.discard(connection)
            self.closes.append((connection.close_code, connection.close_reason or ""))

    async def _answer(self, connection: ServerConnection, message: str | bytes) -> None:
        request = connection.request
        assert request is not None
        if message == "who am I?":
            told = {name.lower(): value for name, value in request.headers.raw_items()}
            await connection.send(json.dumps({"path": request.path, "headers": told}))
        elif isinstance(message, str) and message.startswith("close "):
            _, code, reason = message.split(" ", 2)
            await connection.close(int(code), reason)
        elif isinstance(message, str) and message.startswith("say "):
            _, size, times = message.split()
            for _ in range(int(times)):
                await connection.send("x" * int(size))
                self.said += 1
        elif message == "die":
            connection.transport.abort()
        elif message == "ping me":
            await (await connection.ping(b"are you there?"))
            await connection.send("you are there")
        else:
            await connection.send(message)


@contextmanager
def application() -> Iterator[Application]:
    """Run one until the block ends."""
    made = Application()
    made.start()
    try:
        yield made
    finally:
        made.stop()
