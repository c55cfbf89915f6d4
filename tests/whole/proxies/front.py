"""A proxy with everything behind it, as its shipped configuration has it."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from tests.acts import SECRET
from tests.installation import Installation, Reply, fetch
from tests.patience import HANG
from tests.peers.portal import PortalFactory
from tests.whole.echo import Echo
from tests.whole.relay import Relay

DOCKER = Path(__file__).resolve().parents[3] / "docker"
PORTAL_URL = "http://portal.example.com"
CHAT_SECRET = "what the application is shown"


@dataclass(frozen=True)
class Behind:
    """What a proxy stands in front of, by the names that its configuration uses."""

    here: Installation
    cable: Relay
    """To the edge; it can be held still, or cut."""
    application: Echo
    portal: Echo
    """In the portal's place, an application that tells what reached it as well."""

    def addresses(self) -> dict[str, str]:
        """Return what to write in place of each name, and of both secrets."""
        return {
            "edge:8001": f"127.0.0.1:{self.cable.port}",
            "chat:8000": f"127.0.0.1:{self.application.port}",
            "portal:8000": f"127.0.0.1:{self.portal.port}",
            "CHANGE-ME-proxy-secret": SECRET,
            "CHANGE-ME-chat-secret": CHAT_SECRET,
        }


@dataclass(frozen=True)
class Front:
    """A proxy that runs."""

    behind: Behind
    port: int
    cannot: frozenset[str] = frozenset()
    """Names of the checks that it cannot pass, as its recipe tells."""

    @property
    def here(self) -> Installation:
        """The installation behind it."""
        return self.behind.here

    @property
    def application(self) -> Echo:
        """The application behind it."""
        return self.behind.application

    def get(self, path: str, *shown: dict[str, str], method: str = "GET", body: bytes | None = None) -> Reply:
        """Return the reply to a request, of the chat's host unless a header names another."""
        headers = {"Host": "chat.example.com"}
        for each in shown:
            headers |= each
        return fetch(f"http://127.0.0.1:{self.port}{path}", method=method, body=body, headers=headers)

    def arrived(self, path: str, *shown: dict[str, str]) -> dict[str, str]:
        """Return the headers that the application was sent; one that came twice fails the test."""
        reply = self.get(path, *shown)
        assert 200 == reply.status, reply
        sent = [(name.lower(), value) for name, value in json.loads(reply.body)["headers"]]
        found = dict(sent)
        assert len(found) == len(sent), sent
        return found

    def raw(self, *lines: str, after: bytes = b"", until: bytes = b"") -> bytes:
        """Return what comes back for a request line and headers: up to some bytes, or until the proxy hangs up."""
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=HANG)) as wire:
            wire.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + after)
            got = b""
            try:
                while (not until or until not in got) and (piece := wire.recv(65536)):
                    got += piece
            except ConnectionResetError:
                pass  # it hung up before it had read everything
            return got


def filled(name: str, replace: dict[str, str]) -> str:
    """Return a shipped configuration with other addresses; each must occur, so that one that changes is noticed."""
    text = (DOCKER / name).read_text(encoding="utf-8")
    for old, new in replace.items():
        assert old in text, f"{name} does not say {old!r}"
        text = text.replace(old, new)
    return text


def fronts(portal: PortalFactory, start: Callable[[Behind], Front]) -> Iterator[Front]:
    """Yield a proxy that `start` begins, with an installation, an edge and two applications behind it."""
    with ExitStack() as ends:
        here = Installation(portal(database="sqlite"))
        ends.callback(here.stop)
        edge = here.edge(env={"PORTAL_URL": PORTAL_URL, "ALLOWED_HOSTS": "portal.example.com,127.0.0.1"})
        cable = Relay(int(edge.url.rpartition(":")[2]))
        ends.callback(cable.stop)
        applications = Echo(), Echo()
        for each in applications:
            ends.callback(each.stop)
        yield start(Behind(here, cable, *applications))
