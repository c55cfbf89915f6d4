"""What an application behind the relay is told of a handshake: who it is, and nothing that a client made up."""

import re
from typing import Final

from django.conf import settings

from authz.decisions.vocabulary import Decision, Question
from authz.decisions.world import World
from authz.edge.answers import expires_line, identity_lines, pairs
from authz.edge.assertion import assertion_line
from authz.edge.cookies import without_session
from authz.edge.request import Request
from authz.formats import api_key

PASSED_ON: Final = ("accept-language", "traceparent", "tracestate", "user-agent", "x-request-id")
"""Headers of the client that the application gets as they came. Everything else a browser cannot send anyway."""
UNTOLD: Final = frozenset({"cache-control"})
"""Lines of an answer to a proxy that mean nothing to an application."""
OURS: Final = re.compile(rf"(?:bearer\s+)?{api_key.MARK}", re.IGNORECASE)


def told(  # noqa: PLR0913  all that there is to tell
    request: Request,
    others: list[tuple[bytes, bytes]],
    *,
    question: Question,
    decision: Decision,
    world: World,
    secure: bool,
) -> list[tuple[str, str]]:
    """Return the headers of a handshake with an application: ours, and those of the client that are harmless.

    `others` are the client's headers as they came, of which only the ones above are passed on, each once.
    """
    who = question.who
    if who is None:
        return []
    found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in reversed(others)}
    headers: list[tuple[str, str]] = [(name, found[name]) for name in PASSED_ON if name in found]
    known = request.headers
    if cookie := without_session(known.get("cookie", "")):
        headers.append(("cookie", cookie))
    # Our own keys are nobody else's business; a token for the application itself is.
    headers += [
        (name, known[name])
        for name in ("authorization", "x-api-key")
        if name in known and not OURS.match(known[name].strip())
    ]
    headers += [
        ("x-forwarded-for", question.address),
        ("x-forwarded-proto", "https" if secure else "http"),
        ("x-forwarded-host", known.get("host", "")),
    ]
    lines = identity_lines(world, world.people[who.person], question.at) + expires_line(decision.until)
    if settings.AUTHZ_ASSERTION_KEY:
        lines += assertion_line(question, decision, world)
    headers += [
        (name.decode("ascii"), value.decode("ascii")) for name, value in pairs(lines) if name.decode() not in UNTOLD
    ]
    if settings.AUTHZ_RELAY_SECRET:
        headers.append(("x-proxy-secret", settings.AUTHZ_RELAY_SECRET))
    return headers
