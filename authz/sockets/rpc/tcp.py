"""JSON-RPC over TCP, one message on each line; the first one says who is there.

    --> {"jsonrpc":"2.0","id":1,"method":"authenticate","params":{"token":"<API key, or JWT of a trusted issuer>"}}
    <-- {"jsonrpc":"2.0","id":1,"result":{"authenticated":true}}
    <-- {"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"Authentication failed"}}          and the end
    <-- {"jsonrpc":"2.0","id":N,"error":{"code":-32000,"message":"Authentication required"}}        to anything else
    <-- {"jsonrpc":"2.0","error":{"code":-32000,"message":"Rate limit exceeded"}}                   and the end
    <-- {"error":"Service unavailable - connection limit reached"}                                  and the end
    <-- {"jsonrpc":"2.0","method":"connection.closed","params":{"code":4001,"reason":"revoked"}}    and the end

`initialize` may come first, too. After that the methods are those of the WebSocket, and so are limits and revocation.
"""

import asyncio
import logging
import socket
import ssl
import time
from collections import Counter
from contextlib import suppress
from typing import Any, Final

from django.conf import settings

from audit.spool import SpoolUnavailable, about
from authz.credentials import Presented
from authz.decisions.decide import decide
from authz.decisions.vocabulary import ANY_TOOL, IDENTITY, Action, Question
from authz.edge.recording import record, written
from authz.edge.trust import client_address
from authz.errors import AuthzError, BadCredential, Unavailable
from authz.lookups.current import current_world
from authz.sockets.closing import LIMIT, UNAVAILABLE, Closing
from authz.sockets.held import Held, Kind, entering
from authz.sockets.keeper import KEEPER
from authz.sockets.limits import LIMITS
from authz.sockets.rpc import jsonrpc
from authz.sockets.rpc.calls import Call, Method
from authz.sockets.rpc.lines import LINGER, Lines, TooLong
from authz.sockets.rpc.methods import METHODS
from authz.sockets.rpc.talk import Talk
from authz.sockets.who import identified

log = logging.getLogger(__name__)

DIALECT: Final = "tcp"
SLOWEST_HANDSHAKE: Final = 10.0
"""Seconds from the connection to a good token, with all of TLS in between."""
LONGEST_FIRST: Final = 16 * 1024
"""Bytes of a line from a stranger: the longest token twice."""
TRIES: Final = 8
"""Lines that a stranger may send."""
MOST_STRANGERS: Final = 512
"""Connections in all that have not said yet who they are."""
MOST_STRANGERS_PER_ADDRESS: Final = 64

REQUIRED: Final = (-32000, "Authentication required")
FAILED: Final = (-32000, "Authentication failed")
TOO_FAST: Final = '{"jsonrpc":"2.0","error":{"code":-32000,"message":"Rate limit exceeded"}}'
HELLO: Final = {"serverInfo": {"name": "gatehouse"}}
FULL: Final = '{"error":"Service unavailable - connection limit reached"}'


def initialize(_call: Call, **_anything: Any) -> dict[str, Any]:  # noqa: ANN401  whatever a client says of itself
    """Return who answers, for clients that say hello as MCP does."""
    return HELLO


HERE: Final = METHODS | {"initialize": Method(initialize)}
"""What may be called over TCP."""


class Refused(Exception):
    """A stranger is told one last line."""


class Tcp:
    """The server: it accepts, asks who is there, and lets them talk."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        """Serve nobody yet; with `tls` every connection is encrypted from its first byte."""
        self._tls = tls
        self._strangers: Counter[str] = Counter()
        self._work: set[asyncio.Task[None]] = set()

    async def serve(self, listener: socket.socket) -> None:
        """Accept connections on a listening socket (not blocking) until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, peer = await loop.sock_accept(listener)
            except OSError as error:
                log.warning("tcp.not_accepted", extra={"error": str(error)})
                await asyncio.sleep(0.1)  # no file is free, perhaps; connections that end free some
                continue
            address = client_address(peer[0]) or peer[0]
            task = asyncio.create_task(self._serve_one(accepted, address))
            self._work.add(task)
            task.add_done_callback(self._work.discard)

    async def stop(self) -> None:
        """Return when all connections are gone; the keeper has told them why."""
        if self._work:
            _, late = await asyncio.wait(self._work, timeout=2 * LINGER)
            for task in late:
                task.cancel()

    async def _serve_one(self, accepted: socket.socket, address: str) -> None:
        strangers = self._strangers
        known = False
        if not LIMITS.handshake(address):
            await self._turn_away(accepted, TOO_FAST)
            return
        if strangers.total() >= MOST_STRANGERS or strangers[address] >= MOST_STRANGERS_PER_ADDRESS:
            await self._turn_away(accepted, FULL)
            return
        strangers[address] += 1
        lines = None
        try:
            async with asyncio.timeout(SLOWEST_HANDSHAKE):
                lines = await self._lines(accepted)
                held, number = await _introduced(lines, address)
            known = True
            _forget(strangers, address)
            await _converse(lines, held, number)
        except Refused as refused:
            if lines is not None:
                lines.end(str(refused))
        except (OSError, TimeoutError, TooLong):
            pass  # gone, too slow, or not a line
        except Exception:
            log.exception("tcp.failed")
        finally:
            if not known:
                _forget(strangers, address)
            if lines is not None:
                await lines.close()
            else:
                accepted.close()

    async def _lines(self, accepted: socket.socket) -> Lines:
        loop = asyncio.get_running_loop()
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (("TCP_NODELAY", 1), ("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
            with suppress(AttributeError, OSError):  # not every system has all of them
                accepted.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        limits: dict[str, Any] = {}
        if self._tls is not None:
            limits = {"ssl_handshake_timeout": SLOWEST_HANDSHAKE, "ssl_shutdown_timeout": LINGER}
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, accepted, ssl=self._tls, **limits)
        return Lines(reader, asyncio.StreamWriter(transport, protocol, reader, loop))

    async def _turn_away(self, accepted: socket.socket, line: str) -> None:
        """Say one line to somebody whom nothing else is done for; in TLS not even that."""
        with accepted, suppress(OSError):
            if self._tls is None:
                accepted.send(line.encode() + b"\n")


def _forget(strangers: "Counter[str]", address: str) -> None:
    strangers[address] -= 1
    if not strangers[address]:
        del strangers[address]


async def _introduced(lines: Lines, address: str) -> tuple[Held, jsonrpc.Request]:
    """Return a connection whose client has said who it is, and the request that waits for its answer; or Refused."""
    for _ in range(TRIES):
        if (line := await lines.read(LONGEST_FIRST)) is None:
            raise ConnectionResetError
        message = jsonrpc.read(line)
        first = message.parts[0]
        if not message.batch and not isinstance(first, str) and first.method == "authenticate":
            return await _authenticated(first, address), first
        said = jsonrpc.joined(message, [_told(part) for part in message.parts])
        if said is not None:
            await lines.write(said)
    raise Refused(TOO_FAST)


def _told(part: jsonrpc.Request | str) -> str | None:
    """Return what a stranger is told."""
    if isinstance(part, str):
        return part
    if part.silent:
        return None
    return jsonrpc.result(part.id, HELLO) if part.method == "initialize" else jsonrpc.refusal(part.id, *REQUIRED)


async def _authenticated(request: jsonrpc.Request, address: str) -> Held:
    """Return a new connection of whoever shows this token; Refused otherwise. Either is recorded."""
    params = request.params
    token = params.get("token") if isinstance(params, dict) and len(params) == 1 else None
    at = time.time()
    try:
        world = current_world()
        who, bad = None, False
        try:
            who, world = await identified(Presented(bearer=token if isinstance(token, str) else ""), world, at)
        except BadCredential:
            bad = True
        question = Question(who, Action.USE, IDENTITY, at, ANY_TOOL, address)
        decision = decide(question._replace(who=entering(who, Kind.TCP) if who else None), world)
        if bad:
            decision = decision._replace(code="bad-credential")
        record(about("", written(question, decision, world, DIALECT)), at)
    except (AuthzError, SpoolUnavailable) as error:
        log.warning("tcp.not_judged", extra={"error": str(error)})
        problem = jsonrpc.refusal(request.id, jsonrpc.UNAVAILABLE, "This cannot be judged now.", error="unavailable")
        raise Refused(problem) from error
    if not decision.allowed:
        raise Refused(jsonrpc.refusal(request.id, *FAILED))
    return Held(Kind.TCP, question, world, opened=at, address=address)


async def _converse(lines: Lines, held: Held, first: jsonrpc.Request) -> None:
    """Let a client talk until one side ends it."""
    if not LIMITS.enter(held.who.person, held.address):
        raise Refused(FULL)
    over = asyncio.Event()

    def hang_up(closing: Closing) -> None:
        lines.end(_goodbye(closing))
        over.set()

    talk = Talk(
        held,
        lines.write,
        hang_up,
        per_second=settings.AUTHZ_SOCKET_MESSAGES_PER_SECOND,
        largest=settings.AUTHZ_SOCKET_LARGEST_MESSAGE,
        methods=HERE,
        too_fast=TOO_FAST,
    )
    work: list[asyncio.Task[Any]] = []
    try:
        if (closing := KEEPER.admit(held, current_world())) is not None:
            raise Refused(_goodbye(closing))
        if not first.silent:
            await lines.write(jsonrpc.result(first.id, {"authenticated": True}))
        work = [asyncio.create_task(each) for each in (_listen(lines, talk), talk.tell(), over.wait())]
        await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
    except Unavailable:
        raise Refused(_goodbye(UNAVAILABLE)) from None
    finally:
        KEEPER.release(held)
        LIMITS.leave(held.who.person, held.address)
        for each in work:
            each.cancel()
        for failure in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(failure, Exception) and not isinstance(failure, OSError):
                log.error("tcp.failed", exc_info=failure)


async def _listen(lines: Lines, talk: Talk) -> None:
    largest = settings.AUTHZ_SOCKET_LARGEST_MESSAGE
    try:
        while (line := await lines.read(largest)) is not None:
            await talk.heard(line)
    except TooLong:
        KEEPER.end(talk.held, LIMIT)


def _goodbye(closing: Closing) -> str:
    return jsonrpc.notification("connection.closed", {"code": closing.code, "reason": closing.reason})
