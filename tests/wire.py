"""A connection to the edge's own server without a socket: bytes in, bytes out, in this process and its World."""

import re
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from authz.edge.serve import Edge
from authz.edge.turns import Turn
from tests.people import PROXY, nginx

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


class Said(bytes):
    """What came back."""

    @property
    def status(self) -> int:
        """The status of the first answer."""
        found = STATUS.match(self)
        assert found, self[:200]
        return int(found[1])


class Wire:
    """One connection from a peer; it is the transport, and as much of a loop as the protocol needs."""

    def __init__(self, peer: str = PROXY, turn: Turn | None = None) -> None:
        """Connect, to a loop of its own or in the turns of another."""
        self.peer, self.said, self.closing, self.paused = peer, b"", False, False
        self.after: list[Callable[[], None]] = []
        self.turn = turn or Turn(self)  # type: ignore[arg-type]  # as much of a loop as it needs
        self.edge = Edge(self, self.turn, set())  # type: ignore[arg-type]
        self.edge.connection_made(self)  # type: ignore[arg-type]  # as much of a transport as it needs

    def send(self, *data: bytes) -> Said:
        """Send bytes, in as many pieces as they are given, and return what came back."""
        self.said = b""
        for piece in data:
            self.edge.data_received(piece)
            self.end_turn()
        return Said(self.said)

    def call_soon(self, call: Callable[[], None]) -> None:
        """Do it at the end of the turn."""
        self.after.append(call)

    def end_turn(self) -> None:
        """Do what is left for the end of the turn."""
        while self.after:
            self.after.pop(0)()

    def get_extra_info(self, _name: str) -> tuple[str, int]:
        """Return the peer's address."""
        return self.peer, 50_000

    def write(self, data: bytes) -> None:
        """Take what is sent."""
        self.said += data

    def is_closing(self) -> bool:
        """Return whether the connection ends."""
        return self.closing

    def close(self) -> None:
        """End the connection."""
        self.closing = True

    def abort(self) -> None:
        """End the connection at once."""
        self.closing = True

    def pause_reading(self) -> None:
        """Leave what is on its way where it is."""
        self.paused = True

    def resume_reading(self) -> None:
        """Take what is on its way."""
        self.paused = False

    def time(self) -> float:
        """Return the loop's time."""
        return time.monotonic()

    def run_in_executor(self, _executor: None, work: Callable[[], Any]) -> "Future[Any]":
        """Do it at once."""
        done: Future[Any] = Future()
        try:
            done.set_result(work())
        except Exception as error:  # noqa: BLE001  as an executor does
            done.set_exception(error)
        return done


class SlowWire(Wire):
    """One whose executor does nothing until the test says so."""

    def __init__(self, peer: str = PROXY, turn: Turn | None = None) -> None:
        """Connect."""
        super().__init__(peer, turn)
        self.works: list[tuple[Future[Any], Callable[[], Any]]] = []

    def run_in_executor(self, _executor: None, work: Callable[[], Any]) -> "Future[Any]":
        """Do it later."""
        done: Future[Any] = Future()
        self.works.append((done, work))
        return done

    def work(self) -> bool:
        """Do one thing that is waiting, and return whether there was one."""
        if not self.works:
            return False
        done, work = self.works.pop(0)
        try:
            found = work()
        except Exception as error:  # noqa: BLE001  as an executor does
            done.set_exception(error)
        else:
            done.set_result(found)
        return True


def lines(headers: dict[str, str], *, target: str = "/auth/validate", method: str = "GET") -> bytes:
    """Return a request as it stands on the wire."""
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return head.encode("latin-1") + b"\r\n"


def ask_again(url: str | None, *shown: dict[str, str], **more: str) -> Said:
    """Return what nginx is told about a URL at the third time of asking, by when nothing is read any more."""
    wire, asked = Wire(), lines(nginx(url, *shown, **more))
    *_, last = [wire.send(asked) for _ in range(3)]
    return last
