"""Judges the handshake of a WebSocket: who, from where, to what; by the same credentials and rules as the edge."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode

from django.db import DatabaseError, connection

from audit.spool import SpoolUnavailable, about
from authz.changes import tickets
from authz.conf import socket_origins
from authz.credentials import anchor, renewed
from authz.decisions.decide import decide
from authz.decisions.names import fold
from authz.decisions.vocabulary import ANY_TOOL, IDENTITY, Action, Decision, Effect, Principal, Question, Target, Where
from authz.decisions.world import World
from authz.edge import upstream
from authz.edge.canonical import UnreadableUrl, read_path
from authz.edge.client import Client, client_of
from authz.edge.presented import presented_by
from authz.edge.recording import record, written
from authz.edge.request import Request
from authz.errors import BadCredential, Unavailable
from authz.lookups.current import CURRENT, current_world
from authz.sockets.closing import Closing
from authz.sockets.held import Held, Kind, entering
from authz.sockets.keeper import KEEPER
from authz.sockets.limits import LIMITS
from authz.sockets.refused import Refused
from authz.sockets.who import identified

PREFIX: Final = "/ws/"
RPC: Final = "rpc"
"""The one name below the prefix that is no server's."""
TICKET: Final = "ticket"


@dataclass(frozen=True, slots=True)
class Admitted:
    """A handshake that was found good: the connection is counted and kept; `leave` must be called at its end."""

    held: Held
    upstream: str
    """Where the relay carries it: the whole URL; empty for the JSON-RPC interface."""
    told: list[tuple[str, str]]
    """The headers that the application is told; none for the JSON-RPC interface."""
    notices: bool
    """Whether the client understands a notice in its stream."""

    def leave(self) -> None:
        """Forget the connection."""
        KEEPER.release(self.held)
        LIMITS.leave(self.held.who.person, self.held.address)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A handshake as it came."""

    request: Request
    path: str
    query: str
    """Without the ticket."""
    ticket: str
    address: str
    client: Client


async def admitted(scope: dict[str, Any]) -> Admitted:
    """Judge a handshake, or raise Refused."""
    try:
        return await _admitted(scope)
    except (Unavailable, SpoolUnavailable, DatabaseError) as error:
        raise Refused(503, "unavailable", "This cannot be judged now.", **{"Retry-After": "1"}) from error


async def _admitted(scope: dict[str, Any]) -> Admitted:
    world = current_world()
    asked = _read(scope, world)
    if not LIMITS.handshake(asked.address):
        raise Refused(429, "limit", "You are connecting too often.", **{"Retry-After": "10"})
    target, leads_to = _target(asked, world)
    at = time.time()
    who, bad = None, ""
    try:
        who, world = await _who(asked, target, world, at)
    except BadCredential as error:
        bad = str(error)
    kind = Kind.RELAY if leads_to else Kind.RPC
    question = Question(who, Action.USE, target, at, ANY_TOOL, asked.address)
    decision = decide(question._replace(who=entering(who, kind) if who else None), world)
    if bad and decision.effect is Effect.SIGN_IN:
        decision = decision._replace(code="bad-credential", reason=f"{bad[0].upper()}{bad[1:]}.")
    record(about(asked.path, written(question, decision, world, "websocket")), at=at)
    if not decision.allowed:
        raise _refused(decision, asked)
    origin = asked.request.headers.get("origin", "")
    held = Held(kind, question, world, opened=at, address=asked.address, origin=origin, proxy=asked.client.proxy)
    if not LIMITS.enter(held.who.person, held.address):
        raise Refused(429, "limit", "There are too many connections.", **{"Retry-After": "10"})
    secure = scope.get("scheme") == "wss" or asked.client.secure
    headers = upstream.told(
        asked.request, scope["headers"], question=question, decision=decision, world=world, secure=secure
    )
    server = world.servers.get(target.server)
    made = Admitted(held, leads_to, headers if leads_to else [], bool(server and server.notices))
    if (closing := KEEPER.admit(held, world)) is not None:
        made.leave()
        raise _too_late(closing)
    return made


def _read(scope: dict[str, Any], world: World) -> _Asked:
    peer = scope.get("client")
    request = Request("GET", "", peer[0] if peer else "")
    for name, value in scope["headers"]:
        request.add(name, value)
    if request.problem:
        raise Refused(403, "unreadable-url", f"{request.problem[0].upper()}{request.problem[1:]}.")
    client = client_of(request, world)
    if client.address is None:
        raise Refused(403, "unreadable-url", "The proxy names a client address that is none.")
    query = parse_qsl((scope.get("query_string") or b"").decode("latin-1"), keep_blank_values=True)
    shown = [value for name, value in query if name == TICKET]
    if len(shown) > 1:
        raise Refused(401, "bad-credential", "Several tickets were shown.")
    left = urlencode([pair for pair in query if pair[0] != TICKET])
    if shown:
        scope["query_string"] = left.encode("ascii")  # the server writes it into its log
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return _Asked(request, raw.decode("latin-1"), left, shown[0] if shown else "", client.address, client)


def _target(asked: _Asked, world: World) -> tuple[Target, str]:
    """Return what a path leads to, and where the relay carries it."""
    if not asked.path.startswith(PREFIX):
        raise _nothing_there()
    name, slash, rest = asked.path.removeprefix(PREFIX).partition("/")
    if name == RPC:
        if slash:
            raise _nothing_there()
        return IDENTITY, ""
    try:
        read_path(f"/{name}{slash}{rest}")
    except UnreadableUrl as error:
        return Target(Where.UNREADABLE, problem=str(error)), ""
    number = world.by_server_name.get(fold(unquote(name)))
    server = world.servers[number] if number is not None else None
    if server is None or not server.upstream:
        # Told only to those who sign in: which servers there are is nobody else's business.
        return Target(Where.NOWHERE), ""
    base = server.upstream.rstrip("/") if rest else server.upstream
    leads_to = f"{base}/{rest}" if rest else base
    return Target(Where.SERVER, server.number), f"{leads_to}?{asked.query}" if asked.query else leads_to


async def _who(asked: _Asked, target: Target, world: World, at: float) -> tuple[Principal | None, World]:
    """Return who this is, and the newest World that tells it."""
    if asked.ticket:
        return await asyncio.to_thread(_by_ticket, asked, target, world), world
    who, world = await identified(presented_by(asked.request), world, at)
    if who is not None and who.credential.startswith("session:"):
        _refuse_strange_pages(asked.request.headers.get("origin", ""))
    return who, world


def _by_ticket(asked: _Asked, target: Target, world: World) -> Principal | None:
    """Redeem a ticket: it counts for the person, server and origin that it was made for, and for one connection."""
    try:
        held = tickets.redeem(asked.ticket)
    finally:
        connection.close()
    if held.server != target.server or held.origin != asked.request.headers.get("origin", ""):
        raise BadCredential("this ticket is for something else, or for pages of another origin")
    who = Principal(held.person, held.credential, None, float("inf"))
    rests = anchor(who, world)
    if rests is None:
        world = CURRENT.look()
        rests = anchor(who, world)
    renewed_who = renewed(who, rests, world) if rests is not None else None
    if renewed_who is None:
        raise BadCredential("what this ticket was given for has ended")
    return renewed_who


def _refuse_strange_pages(origin: str) -> None:
    """Refuse a session cookie that a page of an unknown origin, or nobody's page, made a browser send."""
    if origin.lower() not in socket_origins():
        raise Refused(403, "origin", "A session cookie is accepted only from pages of a registered origin.")


def _nothing_there() -> Refused:
    return Refused(404, "not-found", "There is no such WebSocket here.")


def _refused(decision: Decision, asked: _Asked) -> Refused:
    if decision.code == "unknown-url":
        return _nothing_there()
    if decision.effect is not Effect.SIGN_IN:
        return Refused(403, decision.code, decision.reason)
    headers = asked.request.headers
    if headers.get("authorization", "")[:7].lower() == "bearer " or "x-api-key" in headers:
        challenge = 'Bearer realm="gatehouse", error="invalid_token"'
        return Refused(401, decision.code, decision.reason, **{"WWW-Authenticate": challenge})
    return Refused(401, decision.code, decision.reason)


def _too_late(closing: Closing) -> Refused:
    """Return the refusal of a connection whose right ended while it shook hands."""
    return Refused(403, closing.reason, "The right to this ended just now.")
