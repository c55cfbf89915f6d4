"""`/auth/validate`: may this request pass? The hot path, and the only yes a proxy ever gets."""

import logging
import time
from typing import Final

from django.conf import settings

from audit.spool import about
from authz.conf import hot, signing_key
from authz.credentials import Unsettled, identify
from authz.decisions.decide import decide
from authz.decisions.vocabulary import (
    ANY_TOOL,
    IDENTITY,
    NO_TOOL,
    Action,
    Decision,
    Effect,
    Question,
    Target,
    Where,
)
from authz.decisions.world import World
from authz.edge.answers import Answer, expires_line, identity_lines, nobody_lines, unknown_lines
from authz.edge.asked import Asked, Dialect, Refusal
from authz.edge.assertion import assertion_line
from authz.edge.canonical import Url, read_url
from authz.edge.leading import led_to
from authz.edge.mcp_headers import Call, call_of, tool_asked
from authz.edge.presented import presented_by
from authz.edge.recording import Record, record, written
from authz.edge.remembered import Asker, Recalled, is_lone, name_of, recall, remember, shown_by
from authz.edge.request import Request
from authz.edge.trust import client_address, is_trusted
from authz.edge.upgrade import judged, upgrades
from authz.errors import BadCredential, UnreadableUrl
from authz.formats import return_address
from authz.lookups.current import current_world

log = logging.getLogger(__name__)

LOGIN_KEPT: Final = 3600
"""Seconds for which a login page may lead back to where somebody came from."""
LONGEST_WAY_BACK: Final = 1500
"""Characters of a URL that a login leads back to: sealed, it shares the 4 KB that nginx takes of our headers."""
NO_URL: Final = Url("", "", "", "")
DISTRUST: Final = "This proxy is not trusted, so what it forwards is not honoured."


def validate(
    request: Request, read: Dialect, dialect: str, *, settled: bool = False, record: Record = record
) -> Answer:
    """Return the answer to a proxy. Every failure on the way is a denial, except Unsettled, which asks for a moment.

    `settled` says that the moment was given: what is still unsettled then is refused.
    """
    try:
        return _validate(request, read, dialect, settled=settled, record=record)
    except Unsettled:
        raise
    except Exception:
        # Whatever went wrong, we could not decide; and what is not decided is denied.
        log.exception("validate.failed")
        return Answer(403, unknown_lines(), expires_line(0) + b"X-Auth-Reason: unavailable\r\n")


def _validate(request: Request, read: Dialect, dialect: str, *, settled: bool, record: Record) -> Answer:
    at = time.time()
    world = current_world()
    asked = read(request)
    again = asked.url in world.memory.urls
    trusted = is_trusted(world, request.peer, request.headers.get("x-proxy-secret", ""))
    call = call_of(request, asked.method)
    target, tool, url = _target(request, asked, call, world, trusted=trusted)
    address = client_address(asked.address) if trusted else ""
    if address is None:
        target = Target(Where.UNREADABLE, problem="The proxy names a client address that is none.")
        address = ""
    asker = Asker(shown_by(request), call, address, dialect)
    # A handshake depends on the page that asks, too, and comes once for each connection: it is judged each time.
    upgrade = upgrades(request.headers)
    name = None if upgrade else name_of(asker, target, tool)
    if (known := recall(world, name, at)) is not None:
        record(about(url.shown, known.line), at)
        request.recalled = Recalled(world, known, url.shown, None if again else (asker, asked.url))
        return known.answer
    presented = presented_by(request)
    who, bad = None, ""
    try:
        who = identify(presented, world, at)
    except BadCredential as error:
        bad = str(error)
    except Unsettled as error:
        if not settled:
            raise
        bad = str(error)
    question = Question(who, Action.USE, target, at, tool, address)
    decision = decide(question, world)
    if bad and decision.effect is Effect.SIGN_IN:
        decision = decision._replace(code="bad-credential", reason=f"{bad[0].upper()}{bad[1:]}.")
    if upgrade:
        decision = judged(decision, question, world, url, request.headers)
    line = written(question, decision, world, dialect)
    record(about(url.shown, line), at)
    given = answer(question, decision, world, asked, request)
    if is_lone(presented):
        remember(world, name, question=question, decision=decision, answer=given, line=line, lasts=hot.signed)
    return given


def _target(
    request: Request, asked: Asked, call: Call, world: World, *, trusted: bool
) -> tuple[Target, str | None, Url]:
    """Return what is asked for, which tool of it, and the URL in its one meaning."""
    if problem := asked.problem or request.problem or ("" if trusted or not asked.forwarded else DISTRUST):
        return Target(Where.UNREADABLE, problem=problem), ANY_TOOL, NO_URL
    if not asked.url:
        return IDENTITY, NO_TOOL, NO_URL
    try:
        target, url = led_to(world, asked.url)
        return target, tool_asked(call, world, target.server, url) if target.server else NO_TOOL, url
    except UnreadableUrl as error:
        return Target(Where.UNREADABLE, problem=str(error)), ANY_TOOL, NO_URL


def answer(question: Question, decision: Decision, world: World, asked: Asked, request: Request) -> Answer:
    """Return a decision in the words of HTTP."""
    if decision.effect is Effect.ALLOW and question.who is not None:
        person = world.people[question.who.person]
        own = expires_line(decision.until)
        if settings.AUTHZ_ASSERTION_KEY:
            own += assertion_line(question, decision, world)
        return Answer(200, identity_lines(world, person, question.at), own)
    own = expires_line(0) + b"X-Auth-Reason: %s\r\n" % decision.code.encode()
    body = decision.reason.encode()
    if decision.effect is not Effect.SIGN_IN:
        return Answer(403, nobody_lines(world), own, body)
    headers = request.headers
    offered = headers.get("authorization", "")[:7].lower() == "bearer " or "x-api-key" in headers
    if offered:
        own += b'WWW-Authenticate: Bearer realm="gatehouse", error="invalid_token"\r\n'
    back = asked.url if question.target.where is Where.SERVER and _is_a_way_back(asked.url, world) else ""
    own += b"Location: %s\r\n" % login_address(back, question.at).encode("ascii")
    status = 401
    if asked.refusal is Refusal.REDIRECT and not offered and _is_a_page(headers):
        status = 302 if asked.method in {"GET", "HEAD"} else 303
    return Answer(status, nobody_lines(world), own, body)


def _is_a_way_back(url: str, world: World) -> bool:
    """Return whether a URL is a page's, fits a header, and has a host that is registered by name or is the portal's.

    A route for any host says nothing about whose the host is; leading people there after signing in would let
    whoever chooses a Host header choose where they land.
    """
    if len(url) > LONGEST_WAY_BACK or not url.startswith("http"):
        return False
    host = read_url(url).host
    own = settings.PORTAL_URL.partition("://")[2]
    return host in world.routes or host.rpartition(":")[0] in world.routes or host == own


def _is_a_page(headers: dict[str, str]) -> bool:
    """Return whether a browser would show the answer to a person: only then does a redirect help anybody."""
    return (
        "text/html" in headers.get("accept", "")
        and not upgrades(headers)
        and "x-requested-with" not in headers
        and headers.get("sec-fetch-mode", "navigate") == "navigate"
    )


def login_address(url: str, at: float) -> str:
    """Return the address of the login page, which will lead back to `url` and nowhere else."""
    base = f"{settings.PORTAL_URL}/login"
    if not url:
        return base
    return f"{base}?rd={return_address.make(url, key=signing_key('return'), expires=int(at) + LOGIN_KEPT)}"
