"""What the consumers of this house have in common: no channel of their own, and no database on the way."""

from typing import Any

from channels.consumer import AsyncConsumer, get_handler_name

from authz.sockets.held import Held
from authz.sockets.server import Wire, wire_of


class Consumer(AsyncConsumer):  # type: ignore[misc]  # Channels has no types
    """Serves one connection, which its scope holds.

    A revocation reaches a connection through the keeper of its process and through no channel layer, so it cannot be
    lost with a message; and it is called at once, also while the consumer waits for its client.
    """

    channel_layer_alias = ""

    @property
    def held(self) -> Held:
        """Return the connection."""
        held: Held = self.scope["held"]
        return held

    @property
    def wire(self) -> Wire:
        """Return what it runs over."""
        return wire_of(self.scope)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  as Channels has it
        """Serve until the end, however it comes; what was begun for the connection goes with it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.left()

    def left(self) -> None:
        """End what was begun for the connection; called once, also when the client went during the handshake."""

    async def send(self, message: dict[str, Any]) -> None:
        """Send an event; one that waited for a client who was hung up on meanwhile is dropped."""
        try:
            await super().send(message)
        except RuntimeError:
            if not self.held.is_over:
                raise

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle one event; unlike Channels', this does not look after database connections, for there are none."""
        await getattr(self, get_handler_name(message))(message)
