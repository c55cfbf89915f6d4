"""Judges the handshake of a WebSocket: who, from where, to what; by the same credentials and rules as the edge."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode

from django.db import DatabaseError, connection

from audit.spool import SpoolUnavailable, about
from authz.changes import tickets
from authz.conf import rpc_origins, socket_origins
from authz.credentials import anchor, renewed
from authz.decisions.decide import decide
from authz.decisions.names import fold
from authz.decisions.vocabulary import (
    ANY_TOOL,
    FOREVER,
    IDENTITY,
    Action,
    Decision,
    Effect,
    Principal,
    Question,
    Target,
    Where,
)
from authz.decisions.world import World
from authz.edge import upstream
from authz.edge.client import Client, client_of
from authz.edge.presented import presented_by
from authz.edge.recording import record, written
from authz.edge.request import Request
from authz.errors import BadCredential, Unavailable, UnreadableUrl
from authz.formats.url_paths import read_path
from authz.lookups.current import CURRENT, current_world
from authz.sockets.closing import EXPIRED, REVOKED, UNAVAILABLE, Closing
from authz.sockets.held import Held, Kind, entering
from authz.sockets.keeper import KEEPER
from authz.sockets.limits import LIMITS
from authz.sockets.refused import Refused
from authz.sockets.server import broken
from authz.sockets.who import identified

PREFIX: Final = "/ws/"
RPC: Final = "rpc"
"""The one name below the prefix that is no server's."""
TICKET: Final = "ticket"
DIALECT: Final = "websocket"
TOO_OFTEN: Final = Refused(429, "limit", "You are connecting too often.", **{"Retry-After": "10"})


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
    client: Client
    problem: str
    """Why it cannot be read, if so."""
    broken: str
    """What it lacks to be a handshake, which is told to whoever may come in."""


async def admitted(scope: dict[str, Any]) -> Admitted:
    """Judge a handshake, or raise Refused."""
    try:
        return await _admitted(scope)
    except (Unavailable, SpoolUnavailable, DatabaseError) as error:
        raise Refused(503, "unavailable", "This cannot be judged now.", **{"Retry-After": "1"}) from error


async def _admitted(scope: dict[str, Any]) -> Admitted:
    world = current_world()
    asked = _read(scope, world)
    # Not recorded: whoever comes too often must not fill the book.
    if not LIMITS.handshake(asked.client.address or asked.request.peer):
        raise TOO_OFTEN
    at = time.time()
    who, bad = None, asked.problem
    if not bad:
        try:
            who, world = await _who(asked, world, at)
        except BadCredential as error:
            bad = str(error)
    # Of the newest World: it may have moved on while the credential was looked at.
    target, leads_to = _target(asked, world)
    kind = Kind.RELAY if leads_to else Kind.RPC
    question = Question(who, Action.USE, target, at, ANY_TOOL, asked.client.address or "")
    decision = _judged(asked, question, kind, world, bad)
    made: Admitted | None = None
    refused: Refused | None = None
    if decision.allowed:
        try:
            made = _taken_in(scope, asked, question, decision, world, kind=kind, leads_to=leads_to)
        except Refused as error:
            refused = error
            decision = Decision(Effect.DENY, "connections_are_limited", error.code, error.detail)
    else:
        refused = _refused(decision, asked)
    try:
        record(about(asked.path, written(question, decision, world, DIALECT)), at)
    except Exception:
        if made is not None:
            made.leave()  # what cannot be recorded must not be given
        raise
    if made is None:
        raise refused or TOO_OFTEN
    return made


def _judged(asked: _Asked, question: Question, kind: Kind, world: World, bad: str) -> Decision:
    """Return whether this handshake is good, by the rules and by what only a handshake has: the page it comes from."""
    if asked.problem:
        return Decision(Effect.DENY, "unreadable_addresses_are_closed", "unreadable-url", asked.problem)
    who = question.who
    decision = decide(question._replace(who=entering(who, kind) if who else None), world)
    if bad and decision.effect is Effect.SIGN_IN:
        return decision._replace(code="bad-credential", reason=f"{bad[0].upper()}{bad[1:]}.")
    by_cookie = who is not None and who.credential.startswith("session:") and not asked.ticket
    pages = rpc_origins() if question.target == IDENTITY else socket_origins()
    if by_cookie and asked.request.headers.get("origin", "").lower() not in pages:
        # A page of an unknown origin, or nobody's page, made a browser send it.
        reason = "A session cookie is accepted only from pages of a registered origin."
        return Decision(Effect.DENY, "strange_pages_stay_out", "origin", reason)
    if asked.broken and decision.allowed:
        return Decision(Effect.DENY, "handshakes_are_whole", "handshake", f"This is no handshake: {asked.broken}.")
    return decision


def _taken_in(  # noqa: PLR0913  all that was found out
    scope: dict[str, Any],
    asked: _Asked,
    question: Question,
    decision: Decision,
    world: World,
    *,
    kind: Kind,
    leads_to: str,
) -> Admitted:
    """Count a connection and keep it; Refused if there are too many, or if its right has just ended."""
    server = world.servers.get(question.target.server)
    secure = scope.get("scheme") == "wss" or asked.client.secure
    headers = upstream.told(
        asked.request, scope["headers"], question=question, decision=decision, world=world, secure=secure
    )
    held = Held(
        kind,
        question,
        world,
        opened=question.at,
        address=question.address,
        origin=asked.request.headers.get("origin", ""),
        proxy=asked.client.proxy,
        upstream=server.upstream if server is not None else "",
    )
    if not LIMITS.enter(held.who.person, held.address):
        raise Refused(429, "limit", "There are too many connections.", **{"Retry-After": "10"})
    made = Admitted(held, leads_to, headers if leads_to else [], bool(server and server.notices))
    try:
        closing = KEEPER.admit(held, world)
    except BaseException:
        made.leave()
        raise
    if closing is not None:
        made.leave()
        raise _too_late(closing)
    return made


def _read(scope: dict[str, Any], world: World) -> _Asked:
    """Return what a handshake says; the ticket is taken out of its address first, for servers write that into logs."""
    query = parse_qsl((scope.get("query_string") or b"").decode("latin-1"), keep_blank_values=True)
    shown = [value for name, value in query if name == TICKET]
    left = urlencode([pair for pair in query if pair[0] != TICKET])
    if shown:
        scope["query_string"] = left.encode("ascii")
    peer = scope.get("client")
    request = Request("GET", "", peer[0] if peer else "")
    for name, value in scope["headers"]:
        request.add(name, value)
    problem = f"{request.problem[0].upper()}{request.problem[1:]}." if request.problem else ""
    client = Client(request.peer, None, secure=False) if problem else client_of(request, world)
    if client.address is None:
        problem = "The proxy names a client address that is none."
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw.decode("latin-1")
    if not path.startswith(PREFIX) or path.startswith(f"{PREFIX}{RPC}/"):
        raise _nothing_there()
    # Several are none: which of them was meant, nobody can tell.
    ticket = "" if not shown else shown[0] if len(shown) == 1 else "several"
    return _Asked(request, path, left, ticket, client, problem, broken(scope))


def _target(asked: _Asked, world: World) -> tuple[Target, str]:
    """Return what a path leads to, and where the relay carries it."""
    name, slash, rest = asked.path.removeprefix(PREFIX).partition("/")
    if name == RPC:
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


async def _who(asked: _Asked, world: World, at: float) -> tuple[Principal | None, World]:
    """Return who this is, and the World that tells it."""
    if asked.ticket:
        return await asyncio.to_thread(_by_ticket, asked)
    return await identified(presented_by(asked.request), world, at)


def _by_ticket(asked: _Asked) -> tuple[Principal, World]:
    """Redeem a ticket: it counts for the person, server and origin that it was made for, and for one connection."""
    try:
        held = tickets.redeem(asked.ticket)
        who = Principal(held.person, held.credential, None, FOREVER)
        world = CURRENT.look()  # what it rests on may be newer than what was known here
    finally:
        connection.close()
    target, _ = _target(asked, world)
    if held.server != target.server or held.origin != asked.request.headers.get("origin", ""):
        raise BadCredential("this ticket is for something else, or for pages of another origin")
    renewed_who = renewed(who, anchor(who, world), world)
    if renewed_who is None:
        raise BadCredential("what this ticket was given for has ended")
    return renewed_who, world


def _nothing_there() -> Refused:
    return Refused(404, "not-found", "There is no such WebSocket here.")


def _refused(decision: Decision, asked: _Asked) -> Refused:
    if decision.code == "unknown-url":
        return _nothing_there()
    if decision.code == "handshake":
        return Refused(400, decision.code, decision.reason, **{"Sec-WebSocket-Version": "13"})
    if decision.effect is not Effect.SIGN_IN:
        return Refused(403, decision.code, decision.reason)
    headers = asked.request.headers
    if headers.get("authorization", "")[:7].lower() == "bearer " or "x-api-key" in headers:
        challenge = 'Bearer realm="gatehouse", error="invalid_token"'
        return Refused(401, decision.code, decision.reason, **{"WWW-Authenticate": challenge})
    return Refused(401, decision.code, decision.reason)


def _too_late(closing: Closing) -> Refused:
    """Return the refusal of a connection whose right ended while it shook hands, in the words of HTTP."""
    status = {EXPIRED: 401, REVOKED: 401, UNAVAILABLE: 503}.get(closing, 403)
    return Refused(status, closing.reason, "The right to this ended just now.")
