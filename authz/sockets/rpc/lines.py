"""Reads and writes lines over a stream, of bounded length and in bounded time."""

import asyncio
import contextlib
from typing import Final

PIECE: Final = 64 * 1024
"""Bytes that are read at once, and that may wait to be read or written before the other side has to wait."""
PATIENCE: Final = 5.0
"""Seconds in which a client must read what waits for it; one that does not is cut off."""
LINGER: Final = 3.0
"""Seconds that the last line has to arrive, before the connection is cut."""


class TooLong(Exception):
    """A line is longer than it may be."""


class Lines:
    """One stream of lines, each ended by a newline."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin to read and write."""
        self._reader = reader
        self._writer = writer
        self._writer.transport.set_write_buffer_limits(high=PIECE)
        self._held = bytearray()
        self._cut: asyncio.TimerHandle | None = None
        self.ended = False

    async def read(self, longest: int) -> bytes | None:
        """Return the next line without its end, None if there is none; TooLong if it has more than `longest` bytes."""
        searched = 0
        while (end := self._held.find(b"\n", searched)) < 0:
            if (searched := len(self._held)) > longest:
                raise TooLong
            piece = b"" if self.ended else await self._reader.read(PIECE)
            if not piece or self.ended:
                return None
            self._held += piece
        if end > longest:
            raise TooLong
        line = bytes(self._held[:end])
        del self._held[: end + 1]
        return line

    async def write(self, text: str) -> None:
        """Send a line and wait until the client takes it; ConnectionError if it does not, or is gone."""
        if self.ended:
            return
        transport = self._writer.transport
        self._writer.write(text.encode() + b"\n")
        if transport.get_write_buffer_size() <= PIECE:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await self._writer.drain()
        except TimeoutError:
            transport.abort()
            raise ConnectionAbortedError("the client does not read") from None

    def end(self, last: str) -> None:
        """Send a last line; nothing is sent or read any more when this returns."""
        if self.ended:
            return
        self.ended = True
        transport = self._writer.transport
        if not transport.is_closing():
            self._writer.write(last.encode() + b"\n" if last else b"")
            if transport.can_write_eof():
                transport.write_eof()
            else:
                transport.close()  # TLS says goodbye for itself
        self._cut = asyncio.get_running_loop().call_later(LINGER, transport.abort)

    async def close(self) -> None:
        """Return when the connection is gone; what still comes is thrown away.

        A connection that is closed while there is something to read is reset, and a reset can overtake the last line.
        """
        self.end("")
        # A reset, or an end in the middle of TLS: it is gone, which is what was wanted.
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(LINGER):
                while await self._reader.read(PIECE):
                    pass
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(LINGER):
                await self._writer.wait_closed()
        self._writer.transport.abort()
        if self._cut is not None:
            self._cut.cancel()
