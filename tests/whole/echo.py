"""An application that tells what reached it, over HTTP and over a WebSocket."""

import base64
import hashlib
import json
from http.server import BaseHTTPRequestHandler

from tests.peers.serving import Serving

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Echo:
    """Answers each request with its own headers as JSON, and keeps what came."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                outer.seen.append((self.command, self.path))
                if self.headers.get("Upgrade", "").lower() == "websocket":
                    self.shake_hands()
                    return
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                said = {"method": self.command, "path": self.path, "headers": self.headers.items()}
                body = json.dumps(said).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def shake_hands(self) -> None:
                """Accept a WebSocket (RFC 6455 §4.2.2) and send its caller's address as one text frame."""
                key = self.headers.get("Sec-WebSocket-Key", "") + GUID
                accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()  # noqa: S324  as the RFC wants
                self.send_response(101)
                for name, value in (
                    ("Upgrade", "websocket"),
                    ("Connection", "Upgrade"),
                    ("Sec-WebSocket-Accept", accept),
                ):
                    self.send_header(name, value)
                self.end_headers()
                text = self.headers.get("X-User-Email", "").encode()
                self.wfile.write(bytes([0x81, len(text)]) + text)
                self.close_connection = True

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = answer  # noqa: N815  the server's names

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = Serving(Handler)
        self.port = self._server.port

    def stop(self) -> None:
        """Close the port, and hang up on everybody."""
        self._server.stop()
