"""Measures live connections: what an idle one costs, how soon a revocation ends them, and what the relay adds."""

import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from audit.context import Actor
from authz.changes import grants, groups, memberships, people, servers
from authz.models import Grant, Group, Server, User
from bench import servers as running
from bench.load import LOAD_CORE, free_port, on
from bench.organisation import Organisation
from bench.report import Report, median, percentile

IDLE: Final = 5_000
GROUP: Final = 1_000
ONE_AT_A_TIME: Final = 100
MOST_REVOCATION_MS: Final = 250.0
ROUNDS: Final = 5
SECONDS: Final = 2.0
CALLS: Final = 5_000
ORIGIN: Final = "http://127.0.0.1:8000"
BY: Final = Actor.command("bench")


def measure(report: Report, organisation: Organisation, folder: Path) -> None:
    """Start a portal and an application, and measure."""
    os.sched_setaffinity(0, LOAD_CORE)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * IDLE), hard))
    env = os.environ | {
        "AUTHZ_SOCKET_MOST_PER_ADDRESS": str(4 * IDLE),
        "AUTHZ_SOCKET_HANDSHAKES_PER_MINUTE": str(100 * IDLE),
        "AUTHZ_SOCKET_MESSAGES_PER_SECOND": "1000000",
    }
    port = free_port()
    command = [sys.executable, "manage.py", "serve", "--port", str(port), "--no-sequencer"]
    with running.running(command, ready=f"http://127.0.0.1:{port}/readyz", env=env, log=folder / "live.log") as pid:
        asyncio.run(_measure(report, organisation, folder, port, pid))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def _measure(report: Report, organisation: Organisation, folder: Path, port: int, pid: int) -> None:
    async with _application() as application:
        server = await asyncio.to_thread(_relayed, application)
        await _idle(report, organisation, port, pid, server)
        await _relay(report, organisation, folder, port, application)
        await _rpc(report, organisation, port)


def _relayed(application: int) -> Server:
    """Return a server that everybody in one group may use, by way of the relay."""
    server = servers.create(name="live", kind="web", by=BY)
    server = servers.edit(server, upstream=f"ws://127.0.0.1:{application}/", by=BY)
    group = groups.create(name="live", by=BY)
    grants.give(server=server, group=group, by=BY)
    return server


async def _idle(report: Report, organisation: Organisation, port: int, pid: int, server: Server) -> None:
    before = _memory(pid)
    visitors = organisation.visitors[:IDLE]
    async with AsyncExitStack() as stack:
        started = time.perf_counter()
        open_ones = await _opened(stack, [(f"ws://127.0.0.1:{port}/ws/rpc", each.token) for each in visitors])
        took = time.perf_counter() - started
        report.add(f"{len(open_ones):,} handshakes", f"{len(open_ones) / took:.0f} a second")
        await asyncio.sleep(3)
        each = (_memory(pid) - before) / len(open_ones) / 1024
        report.add(f"memory of each of {len(open_ones):,} idle connections", f"{each:.0f} KB")
        ends = []
        for visitor, client in list(zip(visitors, open_ones, strict=True))[:ONE_AT_A_TIME]:
            person = await User.objects.aget(email=visitor.email)
            ends.append(await _ended(client, partial(people.suspend, person, by=BY)))
        _told(report, f"revocation of one person among {len(open_ones):,} connections", ends)
        alive = sum(client.close_code is None for client in open_ones[ONE_AT_A_TIME:])
        report.add("connections of others that ended with them", f"{len(open_ones) - ONE_AT_A_TIME - alive}", "0",
                   kept=alive == len(open_ones) - ONE_AT_A_TIME)  # fmt: skip
        await _group(report, port, list(visitors[ONE_AT_A_TIME : ONE_AT_A_TIME + GROUP]), server)


async def _group(report: Report, port: int, visitors: list[Any], server: Server) -> None:
    """Let a thousand people use a server, and take it from all of them at once, while thousands look on."""

    def join() -> None:
        group = Group.objects.get(name="live")
        for each in visitors:
            memberships.give(person=User.objects.get(email=each.email), group=group, by=BY)

    await asyncio.to_thread(join)
    await asyncio.sleep(0.5)
    clients = [Bare("/ws/live", each.token) for each in visitors]
    loop = asyncio.get_running_loop()
    for some in (clients[start : start + 50] for start in range(0, len(clients), 50)):
        await asyncio.gather(*(loop.create_connection(partial(_same, one), "127.0.0.1", port) for one in some))
        await asyncio.gather(*(one.opened for one in some))
    grant = await Grant.objects.aget(server=server)
    await asyncio.to_thread(grants.remove, grant, by=BY)
    committed = time.monotonic()
    ends = [await one.ended - committed for one in clients]
    _told(report, f"revocation of a group of {len(clients):,}", [max(each, 0.0) for each in ends])


def _same(client: "Bare") -> "Bare":
    return client


class Bare(asyncio.Protocol):
    """A client that only notes when it is told of its end; a thousand real ones would measure themselves."""

    def __init__(self, path: str, token: str) -> None:
        """Begin to connect as somebody."""
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[float] = loop.create_future()
        self._asked = (
            f"GET {path} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            f"Origin: {ORIGIN}\r\nCookie: gatehouse={token}\r\n\r\n"
        ).encode()
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Shake hands."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]  # of a stream
        self.transport.write(self._asked)

    def data_received(self, data: bytes) -> None:
        """Note the end of the handshake, and then the close frame."""
        if self.opened.done():
            if not self.ended.done():
                self.ended.set_result(time.monotonic())
                self.transport.close()
            return
        self._got += data
        if b"\r\n\r\n" in self._got:
            if b" 101 " not in self._got[:20]:
                raise RuntimeError(self._got.decode())
            self.opened.set_result(None)


async def _ended(client: ClientConnection, revoke: Callable[[], object]) -> float:
    """Return the seconds from the commit of a revocation to the end of a connection."""
    await asyncio.to_thread(revoke)
    committed = time.monotonic()
    await client.wait_closed()
    return max(time.monotonic() - committed, 0.0)


def _told(report: Report, what: str, seconds: list[float]) -> None:
    p50, p99 = (percentile(seconds, share) * 1000 for share in (0.5, 0.99))
    report.add(what, f"p50 {p50:.0f}, p99 {p99:.0f} ms", "p99 250 ms", kept=p99 <= MOST_REVOCATION_MS)


async def _relay(report: Report, organisation: Organisation, folder: Path, port: int, application: int) -> None:
    """Carry messages by the relay and by nginx to the same application, in turn."""

    def let_in() -> None:
        grants.give(server=Server.objects.get(name="live"), group=Group.objects.get(name="users"), by=BY)

    await asyncio.to_thread(let_in)
    await asyncio.sleep(0.5)
    token = organisation.visitors[-1].token
    with _nginx(folder, application) as proxy:
        ways = {"nginx": (f"ws://127.0.0.1:{proxy}/", ""), "relay": (f"ws://127.0.0.1:{port}/ws/live", token)}
        for size in (100, 10_000):
            rates: dict[str, list[float]] = {name: [] for name in ways}
            delays: dict[str, list[float]] = {name: [] for name in ways}
            for _ in range(ROUNDS):
                for name, (url, shown) in ways.items():
                    async with _client(url, shown) as client:
                        rates[name].append(await _through(client, size))
                        delays[name].append(await _there_and_back(client, size))
            ratio = median([ours / theirs for ours, theirs in zip(rates["relay"], rates["nginx"], strict=True)])
            more = median([ours - theirs for ours, theirs in zip(delays["relay"], delays["nginx"], strict=True)])
            told = f"{ratio:.2f} of its rate, {more * 1e6:.0f} µs more"
            report.add(f"relay / nginx, messages of {size:,} bytes", told)


async def _through(client: ClientConnection, size: int) -> float:
    """Return how many messages go there and come back in a second, with many on their way."""
    message = "x" * size
    count = 0
    ends = time.perf_counter() + SECONDS / 2

    async def send() -> None:
        nonlocal count
        while time.perf_counter() < ends:
            await client.send(message)
            count += 1

    async def receive() -> None:
        received = 0
        while time.perf_counter() < ends or received < count:
            await client.recv()
            received += 1

    started = time.perf_counter()
    await asyncio.gather(send(), receive())
    return count / (time.perf_counter() - started)


async def _there_and_back(client: ClientConnection, size: int) -> float:
    """Return the median of the seconds that one message takes there and back."""
    message = "x" * size
    took = []
    for _ in range(300):
        started = time.perf_counter()
        await client.send(message)
        await client.recv()
        took.append(time.perf_counter() - started)
    return median(took)


async def _rpc(report: Report, organisation: Organisation, port: int) -> None:
    """Ask one connection for group checks, one after another, and many at once."""
    async with connect(
        f"ws://127.0.0.1:{port}/ws/rpc",
        additional_headers={"Authorization": f"Bearer {organisation.service_key}"},
        compression=None,
        proxy=None,
    ) as client:
        asked = [
            json.dumps({"jsonrpc": "2.0", "id": n, "method": "groups.check",
                        "params": {"user_id": organisation.visitors[n % 100].email, "group_id": "group-1"}})
            for n in range(CALLS)
        ]  # fmt: skip
        started = time.perf_counter()
        for each in asked[: CALLS // 5]:
            await client.send(each)
            await client.recv()
        one_by_one = CALLS // 5 / (time.perf_counter() - started)
        started = time.perf_counter()

        async def receive() -> None:
            for _ in asked:
                await client.recv()

        receiving = asyncio.create_task(receive())
        for each in asked:
            await client.send(each)
        await receiving
        many = CALLS / (time.perf_counter() - started)
    report.add("groups.check on one connection", f"{one_by_one:.0f} a second, {many:.0f} ahead of the answers")


def _client(url: str, token: str) -> connect:
    shown = {"Cookie": f"gatehouse={token}"} if token else {}
    return connect(
        url, additional_headers=shown, origin=Origin(ORIGIN) if token else None, compression=None,
        proxy=None, ping_interval=None, max_queue=64, open_timeout=60, max_size=None,
    )  # fmt: skip


async def _opened(stack: AsyncExitStack, wanted: list[tuple[str, str]]) -> list[ClientConnection]:
    """Open connections, some at a time."""
    turns = asyncio.Semaphore(50)

    async def one(url: str, token: str) -> ClientConnection:
        async with turns:
            return await stack.enter_async_context(_client(url, token))

    return list(await asyncio.gather(*(one(url, token) for url, token in wanted)))


def _memory(pid: int) -> int:
    """Return the resident memory of a process, in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def _nginx(folder: Path, application: int) -> Iterator[int]:
    """Run an nginx that does nothing but carry WebSockets to the application; yield its port."""
    port = free_port()
    place = folder / "carrier"
    place.mkdir(exist_ok=True)
    (place / "nginx.conf").write_text(
        f"worker_processes 1; daemon off; pid {place}/nginx.pid; error_log {place}/error.log warn;\n"
        "events { worker_connections 1024; }\n"
        "http { access_log off;\n"
        f" client_body_temp_path {place}/t1; proxy_temp_path {place}/t2; fastcgi_temp_path {place}/t3;\n"
        f" uwsgi_temp_path {place}/t4; scgi_temp_path {place}/t5;\n"
        f" server {{ listen 127.0.0.1:{port}; location = /ready {{ return 204; }}\n"
        f"  location / {{ proxy_pass http://127.0.0.1:{application}; proxy_http_version 1.1;\n"
        '   proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; } } }\n'
    )
    command = ["nginx", "-p", str(place), "-c", str(place / "nginx.conf")]
    with running.running(command, ready=f"http://127.0.0.1:{port}/ready", log=place / "nginx.log"):
        yield port


@asynccontextmanager
async def _application() -> AsyncIterator[int]:
    """Run an application that answers each message with itself, in a process of its own on the load's core."""
    port = free_port()
    child = subprocess.Popen([*on(LOAD_CORE), sys.executable, "-m", "bench.echo", str(port)])  # noqa: ASYNC220  before anything is measured
    try:
        while True:
            try:
                async with connect(f"ws://127.0.0.1:{port}/", proxy=None):
                    break
            except OSError:
                await asyncio.sleep(0.1)
        yield port
    finally:
        child.terminate()
        child.wait()
