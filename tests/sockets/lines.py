"""A server of lines over TCP in this process, and clients that connect to it."""

import asyncio
import functools
import inspect
import json
import ssl
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from authz.decisions import facts as f
from authz.decisions.applied import applied
from authz.edge.process import listen
from authz.lookups.current import CURRENT
from authz.sockets.closing import RESTART
from authz.sockets.keeper import KEEPER
from authz.sockets.limits import LIMITS
from authz.sockets.rpc.tcp import Tcp
from tests.patience import HANG, PAUSE
from tests.people import key_of, live_in

LOCAL = "127.0.0.1"
REQUIRED = {"code": -32000, "message": "Authentication required"}
FAILED = {"code": -32000, "message": "Authentication failed"}
TOO_FAST = {"jsonrpc": "2.0", "error": {"code": -32000, "message": "Rate limit exceeded"}}
FULL = {"error": "Service unavailable - connection limit reached"}


class Client:
    """A client that reads and writes lines."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take over a connection."""
        self.reader, self.writer = reader, writer

    async def say(self, *messages: Any) -> None:
        """Send messages, one on each line."""
        for each in messages:
            self.writer.write((each if isinstance(each, bytes) else json.dumps(each).encode()) + b"\n")
        await self.writer.drain()

    async def hear(self) -> Any:
        """Return the next line as a value, None at the end."""
        async with asyncio.timeout(HANG):
            line = await self.reader.readline()
        return json.loads(line) if line else None

    async def ask(self, method: str, **params: Any) -> Any:
        """Return the answer to a call, or its error."""
        await self.say({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
        got = await self.hear()
        assert (7, "2.0") == (got.get("id"), got["jsonrpc"]), got
        return got.get("result", got.get("error"))

    async def rest(self) -> list[Any]:
        """Return all that is still said until the end."""
        found = []
        with suppress(ConnectionResetError):
            while (got := await self.hear()) is not None:
                found.append(got)
        return found


async def comes_true(true: Callable[[], object]) -> None:
    """Return as soon as something is true, letting the server do its work meanwhile."""
    async with asyncio.timeout(HANG):
        while not true():  # noqa: ASYNC110  there is no event: the test looks from outside
            await asyncio.sleep(PAUSE)


def here(test):
    """Run a test in an event loop with a server; it is given a function that connects."""

    def run(**fixtures):
        async def live():
            async with served() as connect:
                await test(connect, **fixtures)

        asyncio.run(live())

    functools.update_wrapper(run, test)
    # What a test is given beside the function that connects is a fixture or a column of its table.
    run.__signature__ = inspect.Signature(list(inspect.signature(test).parameters.values())[1:])  # type: ignore[attr-defined]  # inspect looks for it
    return run


@asynccontextmanager
async def served(tls: ssl.SSLContext | None = None):
    """Serve, and yield a function that connects, as somebody if a person is named."""
    server, clients = Tcp(tls=tls), []
    KEEPER.start(asyncio.get_running_loop())
    with listen(LOCAL, 0) as listener:
        listener.listen(100)
        accepting = asyncio.create_task(server.serve(listener))

        async def connect(person: int | None = None, **how: Any) -> Client:
            if (raw := how.get("sock")) is not None:
                raw.setblocking(False)
                await asyncio.get_running_loop().sock_connect(raw, listener.getsockname())
            where = () if raw is not None else listener.getsockname()
            client = Client(*await asyncio.open_connection(*where, **how))
            clients.append(client)
            if person is not None:
                assert {"authenticated": True} == await client.ask("authenticate", token=key_of(person))
            return client

        try:
            yield connect
        finally:
            accepting.cancel()
            await asyncio.wait([accepting])
            await KEEPER.stop(RESTART)
            for client in clients:
                client.writer.close()
                with suppress(OSError):
                    await client.writer.wait_closed()
            await server.stop()
            assert not KEEPER.all
            assert not server._strangers  # noqa: SLF001  whoever came is forgotten
            assert 0 == LIMITS._all  # noqa: SLF001  and no longer counted


def move(*facts: f.Fact) -> None:
    """Let the World move on, as the thread does that keeps it current."""
    before = CURRENT.now()
    after = live_in(applied(before, facts, revision=before.revision + 1))
    for hear in CURRENT.heard:
        hear(before, after, facts)


def closed(code: int, reason: str) -> dict[str, Any]:
    """Return the last line of a connection."""
    return {"jsonrpc": "2.0", "method": "connection.closed", "params": {"code": code, "reason": reason}}
