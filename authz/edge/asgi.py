"""Answers the edge's paths inside the portal's ASGI application, before Django is entered."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from authz.credentials import Unsettled
from authz.credentials.settling import settling
from authz.edge.answers import Answer, pairs
from authz.edge.client import client_of
from authz.edge.paths import Judge, judge_of
from authz.edge.request import Request
from authz.edge.serve import LARGEST_BODY
from authz.lookups.current import CURRENT

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


def target_of(scope: dict[str, Any]) -> str:
    """Return the request target as it was sent: `raw_path` (ASGI HTTP spec 2.x) and the query."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string") or b""
    return (raw + b"?" + query if query else raw).decode("latin-1")


def edge_judge(scope: dict[str, Any]) -> Judge | None:
    """Return what answers a scope, or None if it is Django's."""
    return judge_of(target_of(scope))


def behind_proxy(scope: dict[str, Any]) -> dict[str, Any] | None:
    """Return the scope that the pages are given: its client is the one that a trusted proxy names, else the peer.

    Wrong passwords are counted for each address. Behind a proxy they would all count for the proxy's own, and one
    guesser would keep everybody out. None if the headers cannot be relied on, or a trusted proxy names no address, or
    two: whoever could cause that would be recorded and counted as the proxy.
    """
    client = scope.get("client")
    world = CURRENT.world
    if client is None or world is None:
        return scope
    request = Request(scope["method"], "", client[0])
    for name, value in scope["headers"]:
        request.add(name, value)
    found = client_of(request, world)
    if request.problem or found.address is None:
        return None
    return {**scope, "client": (found.address, 0)} if found.address else scope


async def answer(scope: dict[str, Any], receive: Receive, send: Send, judge: Judge) -> None:
    """Answer one request; also one that a proxy copied from a WebSocket handshake, Upgrade and all.

    A server then takes the question itself for a handshake. It is answered as the question it is: by a status, through
    the WebSocket Denial Response extension, and no WebSocket is ever opened.
    """
    client = scope.get("client")
    request = Request(scope.get("method", "GET"), target_of(scope), client[0] if client else "")
    for name, value in scope["headers"]:
        request.add(name, value)
    body = await _body(receive) if scope["type"] == "http" else b""
    if body is None:
        await _send(scope, send, Answer(413, b"", b"", b"This request is too large.\n"))
        return
    request.body = body
    try:
        found = judge(request)
    except Unsettled as error:
        # The thread pool keeps the event loop free; a failure to settle is a refusal when judged again.
        await asyncio.gather(settling(error, asyncio.get_running_loop()), return_exceptions=True)
        found = judge(request, settled=True)
    await _send(scope, send, found)


async def _body(receive: Receive) -> bytes | None:
    """Return the body, or None if it is too large."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > LARGEST_BODY:
            return None
        if not message.get("more_body"):
            return body


async def _send(scope: dict[str, Any], send: Send, found: Answer) -> None:
    headers = [*pairs(found.identity), *pairs(found.own), (b"content-length", b"%d" % len(found.body))]
    kind = "http.response" if scope["type"] == "http" else "websocket.http.response"
    await send({"type": f"{kind}.start", "status": found.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": b"" if scope.get("method") == "HEAD" else found.body})
