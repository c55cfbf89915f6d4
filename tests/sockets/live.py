"""Live connections to a real portal, as a client sees them."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.installation import Installation
from tests.peers.portal import Served, portals
from tests.sockets.upstream import Application

ORIGIN = "https://chat.example.com"
SOON = 5.0
"""Seconds within which something must have happened, on a machine that is busy with other tests."""
ENV = {"AUTHZ_SOCKET_ORIGINS": ORIGIN, "AUTHZ_SOCKET_NOTICE": "2"}


class House(Installation):
    """An installation whose servers are relayed to an application."""

    def serve(self, **env: str) -> Served:
        """Start a process that serves everything but the sequencer."""
        return self.portal.serve("serve", "--port", "{port}", "--no-sequencer", ready="/readyz", env=ENV | env)

    def ticket(self, name: str, server: str | None, origin: str = ORIGIN) -> str:
        """Return a ticket for somebody."""
        return str(self.do("ticket", name, server, origin))

    def browser(self, name: str, origin: str = ORIGIN) -> dict[str, Any]:
        """Return how somebody's browser connects from a page."""
        return {"headers": self.cookie(name), "origin": origin}


def houses(request: pytest.FixtureRequest, folder: Path, application: Application) -> Iterator[House]:
    """Yield one, for a fixture that several tests share."""
    for make in portals(request.config, folder):
        here = House(make())
        for server in ("search", "crm"):
            here.do("relay", server, {"upstream": application.url})
        try:
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
    made: ClientConnection = connect(
        url,
        additional_headers=headers or {},
        origin=Origin(origin) if origin else None,
        proxy=None,
        compression=None,
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


def ended(client: ClientConnection, *, within: float = SOON) -> tuple[int | None, str | None]:
    """Return the code and the reason by which a connection ends, having read all that came before."""
    deadline = time.monotonic() + within
    while True:
        try:
            client.recv(timeout=max(0.01, deadline - time.monotonic()))
        except ConnectionClosed:
            return client.close_code, client.close_reason
        except TimeoutError:
            return None, "it is still open"


def is_alive(client: ClientConnection) -> bool:
    """Return whether a connection still carries something to the application and back."""
    with suppress(ConnectionClosed, TimeoutError):
        client.send("still there?")
        while client.recv(timeout=SOON) != "still there?":
            pass  # what was on its way before
        return True
    return False


def eventually(found: Callable[[], Any], expected: Any, *, within: float = SOON) -> None:
    """Wait until something is as expected."""
    deadline = time.monotonic() + within
    while (last := found()) != expected:
        assert time.monotonic() < deadline, f"expected {expected}, found {last}"
        time.sleep(0.05)
