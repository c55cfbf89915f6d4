"""However much a client sends at once, little of it is read before others have their turn: how much is counted."""

import asyncio
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from authz.sockets.pace import Pace
from authz.sockets.server import PIECE, SMALL_PER_SECOND, Wire
from tests.patience import HANG

MANY = 40_000
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
ONE_BYTE = b"\x81\x81\0\0\0\0x"
FIRST_PIECE, NEXT_PIECE, PONG = b"\x01\x81\0\0\0\0x", b"\x00\x81\0\0\0\0x", b"\x8a\x80\0\0\0\0"


class Transport(asyncio.Transport):
    """Takes what is sent, and knows whether more may come."""

    def __init__(self) -> None:
        super().__init__()
        self.sent, self.reading = b"", True

    def write(self, data: Any) -> None:
        """Take what is sent."""
        self.sent += data

    def pause_reading(self) -> None:
        """Leave what is on its way where it is."""
        self.reading = False

    def resume_reading(self) -> None:
        """Take what is on its way."""
        self.reading = True

    def is_closing(self) -> bool:
        """Return whether it ends."""
        return False

    def close(self) -> None:
        """End."""


def told(story: Any) -> None:
    """Let a client send to an application that takes a message only when the story does."""

    async def live() -> None:
        accepted, over = asyncio.Event(), asyncio.Event()

        async def application(_scope: Any, receive: Any, send: Any) -> None:
            assert "websocket.connect" == (await receive())["type"]
            await send({"type": "websocket.accept"})
            accepted.set()
            await over.wait()

        config = Config(application, log_config=None, ws_ping_interval=None)
        wire, transport = Wire(config, ServerState(), {}), Transport()
        wire.connection_made(transport)
        wire.data_received(HANDSHAKE)
        async with asyncio.timeout(HANG):
            await accepted.wait()
            await story(wire, transport)
        over.set()
        await asyncio.gather(*wire.tasks)

    asyncio.run(live())


def test_no_more_messages_wait_than_are_read_at_once():
    async def story(wire, transport):
        wire.data_received(ONE_BYTE * MANY)
        most = PIECE // len(ONE_BYTE) + 1
        for _ in range(3 * most):  # until more is read, and more after that
            assert wire.queue.qsize() <= most
            assert "x" == (await wire.receive())["text"]
        assert not transport.reading
        assert len(wire.waiting) >= (MANY - 5 * most) * len(ONE_BYTE)

    told(story)


@pytest.mark.parametrize("flood", [FIRST_PIECE + NEXT_PIECE * MANY, PONG * MANY], ids=["pieces", "pongs"])
def test_after_too_many_frames_that_are_no_messages_nothing_is_read_any_more(flood):
    async def story(wire, transport):
        wire.small = Pace(SMALL_PER_SECOND, clock=lambda: 0.0)  # all of them come in one instant
        wire.data_received(flood)
        assert wire.deaf
        assert b"\x88" in transport.sent
        assert transport.sent.endswith(b"limit")
        frames = (len(flood) - len(wire.waiting)) / len(PONG)
        assert frames <= 10 * SMALL_PER_SECOND + 2 * PIECE / len(PONG)
        before = len(wire.waiting)
        wire.data_received(flood)
        assert before == len(wire.waiting)

    told(story)
