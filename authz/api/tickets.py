"""`POST /api/v1/tickets`: a ticket for one WebSocket, which a page shows in its address for want of a header.

    {"server": "chat", "origin": "https://chat.example.com"}
    201 {"ticket": "ght_…", "expires_in": 30, "url": "/ws/chat?ticket=ght_…"}

Without `server` it leads to the portal's own JSON-RPC interface. Whoever asks shows an API key, whose owner the ticket
is for, and names the origin of the page that will use it, "" for a client that is no page. Or a page asks by itself,
with the session cookie of whoever looks at it: then the browser names the origin, which must be a registered one.
"""

import json
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, UnreadablePostError

from authz.api.cors import for_pages
from authz.api.door import Call, answers, presented_by
from authz.changes import tickets
from authz.conf import rpc_origins, socket_origins
from authz.credentials import identify
from authz.decisions.asked import server_named
from authz.decisions.decide import decide
from authz.decisions.facts import ServerIs
from authz.decisions.vocabulary import ANY_TOOL, IDENTITY, Action, Effect, Principal, Question, Target, Where
from authz.decisions.world import World
from authz.errors import BadCredential, BadRequest, Denied, InvalidName, NoSuchThing, NotAllowed
from authz.formats.origins import parse_origin
from authz.formats.socket_paths import RPC, socket_path
from authz.models import Server, User

LONGEST = 4096
"""Bytes of a body; two names take fewer."""
JSON = "application/json"
MEMBERS = frozenset({"server", "origin"})
SESSION = "session:"


def page_or_key(request: HttpRequest, world: World, at: float) -> Principal:
    """Return whose API key is shown, or whose session it is that a page of any registered origin asks with."""
    who = identify(presented_by(request), world, at)
    if who is None:
        message = "show an API key, or sign in"
        raise BadCredential(message)
    if who.credential.startswith("jwt:"):
        message = "a token is not kept, so no ticket can rest on it; show the token itself at the handshake"
        raise NotAllowed(message)
    if who.credential.startswith(SESSION) and _page_of(request) not in socket_origins() | rpc_origins():
        raise Denied("origin", "a session cookie is accepted only from pages of a registered origin")
    return who


def _page_of(request: HttpRequest) -> str:
    return request.headers.get("Origin", "").lower()


@for_pages(method="POST")
@answers(page_or_key, method="POST", status=201)
def issue(call: Call) -> dict[str, Any]:
    """Return a new ticket, if its handshake would be let in now."""
    asked = _body(call)
    server = _server(call.world, asked.get("server"))
    _refuse_pages(call, server)
    origin = _origin(call, asked.get("origin"))
    _refuse_surprises(call, server)
    path = _path(server)
    row = Server.objects.filter(pk=server.number).first() if server is not None else None
    person = User.objects.filter(pk=call.who.person).first()
    if person is None or (server is not None and row is None):
        message = "the server, or the person, is gone"
        raise NoSuchThing(message)
    text = tickets.issue(person=person, credential=call.who.credential, server=row, origin=origin, by=call.actor)
    return {
        "ticket": text,
        "expires_in": settings.AUTHZ_TICKET_LIFETIME,
        "url": f"{path}?{urlencode({'ticket': text})}",
    }


def _body(call: Call) -> dict[str, Any]:
    request = call.request
    # A form cannot be sent as this type: a browser asks beforehand whether the page may.
    if call.who.credential.startswith(SESSION) and request.content_type != JSON:
        message = f"send a JSON object as {JSON}"
        raise BadRequest(message)
    try:
        body = json.loads(request.body) if len(request.body) <= LONGEST else None
    except (ValueError, RecursionError, RequestDataTooBig, UnreadablePostError):
        body = None
    if not isinstance(body, dict):
        message = f"the body is not a JSON object of at most {LONGEST} bytes"
        raise BadRequest(message)
    if unknown := body.keys() - MEMBERS:
        message = f"{min(unknown)!r} is not a member of this request; there are server and origin"
        raise BadRequest(message)
    return body


def _server(world: World, name: object) -> ServerIs | None:
    if name is None:
        return None
    if not isinstance(name, str):
        message = "server is the name of a server, or null"
        raise BadRequest(message)
    return server_named(world, name)


def _origin(call: Call, named: object) -> str:
    """Return the origin that the ticket is bound to, as its browser will write it at the handshake."""
    if named is not None and not isinstance(named, str):
        message = "origin is a text"
        raise BadRequest(message)
    if call.who.credential.startswith(SESSION):
        origin = call.request.headers["Origin"]
        if named is not None and parse_origin(named) != parse_origin(origin):
            message = f"the origin is not that of the page that asks, {origin}; leave it out"
            raise BadRequest(message)
        return origin
    if named is None:
        message = 'the member origin is missing; it names the page that will use the ticket, "" for none'
        raise BadRequest(message)
    return parse_origin(named) if named else ""


def _refuse_pages(call: Call, server: ServerIs | None) -> None:
    """Refuse a page a ticket for what it may not open with the cookie itself."""
    pages = socket_origins() if server is not None else rpc_origins()
    if call.who.credential.startswith(SESSION) and _page_of(call.request) not in pages:
        where = "a server" if server is not None else "the portal's own interface"
        raise Denied("origin", f"pages of this origin get no ticket for {where}")


def _refuse_surprises(call: Call, server: ServerIs | None) -> None:
    """Refuse a ticket whose handshake would be refused."""
    target = IDENTITY if server is None else Target(Where.SERVER, server.number)
    # The interface is open to any good key, for each call there asks for the scope that it needs.
    who = call.who if server is not None else call.who._replace(scopes=None)
    decision = decide(Question(who, Action.USE, target, call.at, ANY_TOOL, call.address), call.world)
    if decision.effect is Effect.SIGN_IN:
        raise BadCredential(decision.reason)
    if not decision.allowed:
        raise Denied(decision.code, decision.reason)


def _path(server: ServerIs | None) -> str:
    """Return where the WebSocket begins."""
    if server is None:
        return RPC
    try:
        path = socket_path(server.name) if server.upstream else ""
    except InvalidName:
        path = ""
    if not path:
        message = f"{server.name!r} has no WebSockets here"
        raise NoSuchThing(message)
    return path
