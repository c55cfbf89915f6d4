"""A whole installation with the people we know in it: real processes on a database of their own."""

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.acts import SECRET
from tests.peers.portal import ROOT, Portal, PortalFactory, Served

ACTS = Path(__file__).with_name("acts.py")


class Reply(NamedTuple):
    """What came back over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes


def fetch(url: str, *, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None) -> Reply:
    """Return the reply to one request, following nothing."""
    host, _, path = url.removeprefix("http://").partition("/")
    with closing(http.client.HTTPConnection(host, timeout=30)) as connection:
        connection.request(method, f"/{path}", body=body, headers=headers or {})
        answer = connection.getresponse()
        found: dict[str, str] = {}
        for name, value in answer.getheaders():
            found[name.lower()] = f"{found[name.lower()]}\n{value}" if name.lower() in found else value
        return Reply(answer.status, found, answer.read())


class Installation:
    """The people we know, on a database that several processes share."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self._log = (portal.folder / "acts.log").open("w")
        self._hand = subprocess.Popen(  # noqa: S603  the interpreter that runs this, with a file beside this
            [sys.executable, str(ACTS)],
            env=portal._environment(None),  # noqa: SLF001  the same that its commands get
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        shown = self.do("move_in")
        self.keys: dict[str, str] = shown["keys"]
        self.sessions: dict[str, str] = shown["sessions"]

    def do(self, act: str, *arguments: Any) -> Any:
        """Let another process do something, and return when it is committed."""
        assert self._hand.stdin is not None
        assert self._hand.stdout is not None
        self._hand.stdin.write(json.dumps([act, *arguments]) + "\n")
        self._hand.stdin.flush()
        line = self._hand.stdout.readline()
        assert line, (self.portal.folder / "acts.log").read_text()
        return json.loads(line)

    def edge(self, *, env: dict[str, str] | None = None) -> Served:
        """Start the edge role."""
        return self.portal.serve("serve_edge", "--port", "{port}", ready="/readyz", env=env)

    def cookie(self, name: str) -> dict[str, str]:
        """Return the header that somebody's browser sends."""
        return {"Cookie": f"gatehouse={self.sessions[name]}"}

    def bearer(self, name: str) -> dict[str, str]:
        """Return the header that somebody's script sends."""
        return {"Authorization": f"Bearer {self.keys[name]}"}

    def stop(self) -> None:
        """End the hand that acts."""
        self._hand.kill()
        self._hand.wait()
        for stream in (self._hand.stdin, self._hand.stdout, self._log):
            if stream is not None:
                with suppress(BrokenPipeError):  # it had ended before, and its log says why
                    stream.close()


def about(path: str, *shown: dict[str, str], host: str = "mcp.example.com") -> dict[str, str]:
    """Return the headers by which nginx asks about a path."""
    asked = {"X-Proxy-Secret": SECRET, "X-Original-URL": f"https://{host}{path}", "X-Original-Method": "GET"}
    for each in shown:
        asked |= each
    return asked


def ask(edge: Served, path: str, *shown: dict[str, str]) -> Reply:
    """Return what the edge says about a path."""
    return fetch(f"{edge.url}/auth/validate", headers=about(path, *shown))


def raw(edge: Served, sent: bytes, *, patience: float = 5.0) -> bytes:
    """Return all that the edge sends back for some bytes, until it hangs up or is silent for a while."""
    port = int(edge.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        got = b""
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                got += piece
        except OSError:
            pass  # it hung up on nonsense, or said nothing
        return got


@pytest.fixture
def install(portal: PortalFactory) -> Iterator[Callable[..., Installation]]:
    """Return what makes an installation, on the database that --database names unless told otherwise."""
    made: list[Installation] = []

    def make(*, database: str = "", env: dict[str, str] | None = None) -> Installation:
        made.append(Installation(portal(database=database, env=env)))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def with_edge(portal: PortalFactory) -> Iterator[tuple[Installation, Served]]:
    """Yield an installation with its edge process, for a fixture that several tests share."""
    here = Installation(portal())
    try:
        yield here, here.edge()
    finally:
        here.stop()
