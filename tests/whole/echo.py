"""An application that tells what reached it, over HTTP, over a WebSocket, and in whatever it is upgraded to."""

import base64
import hashlib
import json
from http.server import BaseHTTPRequestHandler

from tests.peers.serving import Serving

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Echo:
    """Answers each request with its own headers and body as JSON, and keeps what came.

    It becomes whatever it is asked to: after any other upgrade than a WebSocket it answers every byte that comes.
    """

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.upgrades: list[tuple[str, list[str]]] = []
        """The path and the Upgrade lines of each request that had some."""
        self.tunnelled: list[bytes] = []
        """What came after one of them, that was no WebSocket."""
        self._server = Serving(type("Handler", (Handler,), {"application": self}))
        self.port = self._server.port

    def forget(self) -> None:
        """Forget what came, and hang up on whoever keeps a connection for later."""
        self._server.hang_up()
        for each in (self.seen, self.upgrades, self.tunnelled):
            each.clear()

    def stop(self) -> None:
        """Close the port, and hang up on everybody."""
        self._server.stop()


class Handler(BaseHTTPRequestHandler):
    """One connection to it."""

    protocol_version = "HTTP/1.1"
    application: Echo

    def answer(self) -> None:
        """Answer one request."""
        self.application.seen.append((self.command, self.path))
        if upgrades := self.headers.get_all("Upgrade"):
            self.application.upgrades.append((self.path, upgrades))
            if [each.lower() for each in upgrades] == ["websocket"] and "Sec-WebSocket-Key" in self.headers:
                self.shake_hands()
            else:
                self.become(upgrades[0])
            return
        said = {"method": self.command, "path": self.path, "headers": self.headers.items(), "body": self.body()}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = answer  # noqa: N815  the server's names

    def body(self) -> str:
        """Return the body, also one that came in chunks (RFC 9112 §7.1)."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("latin-1")
        whole = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole.decode("latin-1")

    def become(self, something: str) -> None:
        """Switch to anything (RFC 9110 §7.8), and tell what comes from then on."""
        self.send_response(101)
        self.send_header("Upgrade", something)
        self.send_header("Connection", "Upgrade")
        self.end_headers()
        self.wfile.write(b"a tunnel")
        while piece := self.connection.recv(65536):
            self.application.tunnelled.append(piece)
            self.wfile.write(b"in the tunnel: " + piece)
        self.close_connection = True

    def shake_hands(self) -> None:
        """Accept a WebSocket (RFC 6455 §4.2.2) and send its caller's address as one text frame."""
        key = self.headers.get("Sec-WebSocket-Key", "") + GUID
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()  # noqa: S324  as the RFC wants
        self.send_response(101)
        for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept)):
            self.send_header(name, value)
        self.end_headers()
        text = self.headers.get("X-User-Email", "").encode()
        self.wfile.write(bytes([0x81, len(text)]) + text)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""
