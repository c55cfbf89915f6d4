"""A server on a loopback port in a thread of its own, that ends with all its threads and connections."""

import socket
import socketserver
import sys
import threading
from contextlib import suppress
from typing import Any

from tests.patience import HANG


class Serving(socketserver.ThreadingTCPServer):
    """Listens from the beginning; `stop` hangs up on everybody and returns when no thread is left."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, handler: type[socketserver.BaseRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.port: int = self.server_address[1]
        self.stopping = threading.Event()
        """What a handler waits for that is slow on purpose."""
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), name="serving")
        self._thread.start()

    def stop(self) -> None:
        """End; once more does no harm."""
        self.stopping.set()
        self.shutdown()
        self.hang_up()  # or a handler would wait for whatever a silent client may yet say
        self.server_close()
        self._thread.join(HANG)
        assert not self._thread.is_alive()

    def hang_up(self) -> None:
        """End all connections, and go on listening."""
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def __exit__(self, *_: object) -> None:
        self.stop()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread of its own."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """End a connection."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of what went wrong, which a client that hung up is not."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)
