"""Live connections to a real portal, as a client sees them."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.installation import Installation, fetch
from tests.patience import HANG
from tests.peers.portal import PortalFactory, Served
from tests.sockets.upstream import Application

ORIGIN = "https://chat.example.com"
CONSOLE = "https://console.example.com"
"""Whose pages may speak JSON-RPC, and open no server."""
ENV = {
    "AUTHZ_SOCKET_ORIGINS": ORIGIN,
    "AUTHZ_SOCKET_RPC_ORIGINS": CONSOLE,
    "AUTHZ_SOCKET_NOTICE": "4",
    # A test that waits for something asks again and again whether it may connect by now.
    "AUTHZ_SOCKET_HANDSHAKES_PER_MINUTE": "1000000",
}


class House(Installation):
    """An installation whose servers are relayed to an application."""

    def serve(self, **env: str) -> Served:
        """Start a process that serves everything but the sequencer."""
        return self.portal.serve("serve", "--port", "{port}", "--no-sequencer", ready="/readyz", env=ENV | env)

    def ticket(self, name: str, server: str | None, origin: str = ORIGIN) -> str:
        """Return a ticket for somebody."""
        return str(self.do("ticket", name, server, origin))

    def console(self, name: str) -> dict[str, Any]:
        """Return how somebody's browser connects from a page that may speak JSON-RPC."""
        return self.browser(name, CONSOLE)

    def browser(self, name: str, origin: str = ORIGIN) -> dict[str, Any]:
        """Return how somebody's browser connects from a page."""
        return {"headers": self.cookie(name), "origin": origin}

    def tell(self, portal: Served) -> None:
        """Return when a process knows all that is committed now: whoever names a revision is not answered before it."""
        asked = self.bearer("chat") | {"Authz-At-Least": self.do("revision")}
        body = b'{"user_id": "alice@example.com", "group_id": "interns"}'
        reply = fetch(f"{portal.url}/api/v1/groups/check", method="POST", body=body, headers=asked)
        assert 200 == reply.status, reply


def house(portal: PortalFactory, application: Application) -> Iterator[House]:
    """Yield one, for a fixture that several tests share."""
    here = House(portal())
    try:
        for server in ("search", "crm"):
            here.do("relay", server, {"upstream": application.url})
        yield here
    finally:
        here.stop()


def connected(
    portal: Served,
    path: str,
    *,
    headers: dict[str, str] | None = None,
    origin: str | None = None,
    host: str = "",
    **more: Any,
) -> ClientConnection:
    """Connect, or raise InvalidStatus; `host` is what the Host header says, where that is not the portal's address."""
    address = portal.url.removeprefix("http://")
    url = f"ws://{host or address}{path}"
    if host:
        more["sock"] = socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])))
    more.setdefault("subprotocols", None)
    # Whoever keeps a connection alive draws from the random numbers of this process, beside the tests that do.
    more.setdefault("ping_interval", None)
    made: ClientConnection = connect(
        url,
        additional_headers=headers or {},
        origin=Origin(origin) if origin else None,
        proxy=None,
        compression=None,
        open_timeout=HANG,
        **more,
    )
    return made


def refused(portal: Served, path: str, **how: Any) -> tuple[int, str]:
    """Return the status and the reason by which a handshake is refused; 101 if it is not."""
    try:
        with connected(portal, path, **how):
            return 101, ""
    except InvalidStatus as error:
        return error.response.status_code, error.response.headers.get("X-Auth-Reason", "")


def ended(client: ClientConnection) -> tuple[int | None, str | None]:
    """Return the code and the reason by which a connection ends, having read all that came before."""
    try:
        while True:
            client.recv(timeout=HANG)
    except ConnectionClosed:
        return client.close_code, client.close_reason
    except TimeoutError:
        return None, "it is still open"


def is_alive(client: ClientConnection) -> bool:
    """Return whether a connection still carries something to the application and back."""
    with suppress(ConnectionClosed, TimeoutError):
        client.send("still there?")
        while client.recv(timeout=HANG) != "still there?":
            pass  # what was on its way before
        return True
    return False
