"""Bounds the bodies of requests: Django takes in all of one before anybody asks who sends it."""

import json
from typing import Any, Final

from authz.edge.asgi import Receive, Send

LARGEST: Final = 1024**2
"""Bytes; what people send us are forms."""
LARGEST_PUSH: Final = 8 * 1024**2
"""Bytes for a SCIM client, which may push a group of some 40,000 members."""
PUSHES: Final = "/scim/"
DIGITS: Final = 20
"""Digits of a length that are worth reading."""


class Bounded:
    """Hands the messages of one request on, as long as its body is no larger than it may be."""

    def __init__(self, scope: dict[str, Any], receive: Receive) -> None:
        """Learn how large the body is said to be."""
        self._receive, self._seen = receive, 0
        self._pushed = scope["path"].startswith(PUSHES)
        self._most = LARGEST_PUSH if self._pushed else LARGEST
        declared = [value for name, value in scope["headers"] if name == b"content-length"]
        self.exceeded = any(not value.isdigit() or len(value) > DIGITS or int(value) > self._most for value in declared)

    async def receive(self) -> dict[str, Any]:
        """Return the next message; once there is too much, that nobody is there any more, which ends the reading."""
        if self.exceeded:
            return {"type": "http.disconnect"}
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > self._most:
            self.exceeded = True
            return {"type": "http.disconnect"}
        return message

    async def refuse(self, send: Send) -> None:
        """Answer that there is too much, and end the connection: what is still to come is not read."""
        words = f"the body is larger than {self._most} bytes"
        if self._pushed:  # in the words of RFC 7644 §3.12
            said = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "413", "detail": words}
            kind, body = b"application/scim+json", json.dumps(said).encode()
        else:
            kind, body = b"text/plain; charset=utf-8", f"This request is too large: {words}.\n".encode()
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})
