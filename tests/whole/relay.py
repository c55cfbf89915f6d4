"""A cable to the database that can be held still, so that nobody notices a loss of connection."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from tests.patience import HANG


class Relay:
    """Forwards bytes both ways between a port of its own and another."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._flows = threading.Event()
        self._flows.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._run(self._accept)

    def hold(self) -> None:
        """Let no byte through, and hang up on nobody."""
        self._flows.clear()

    def release(self) -> None:
        """Let everything through again, also what was held."""
        self._flows.set()

    def _run(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        self._threads.append(threading.Thread(target=work, args=arguments, name="cable"))
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                self._open += (near, far)
                for source, sink in ((near, far), (far, near)):
                    self._run(self._pump, source, sink)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                self._flows.wait()
                sink.sendall(piece)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def hang_up(self) -> None:
        """End all connections, and go on listening."""
        self._flows.set()
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join(HANG)
            assert not thread.is_alive()
        for each in self._open:
            each.close()
        self._open.clear()
        del self._threads[1:]

    def stop(self) -> None:
        """Close the port and hang up on everybody; once more does no harm."""
        if not self._threads:
            return
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(HANG)  # from now on nobody comes
        self._listener.close()
        self.hang_up()
        self._threads.clear()
