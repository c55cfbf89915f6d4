"""Judges what only a request to upgrade has: what it wants to become, and the page that asks for it.

A WebSocket is the only upgrade that is carried. Anything else (h2c, RFC 7540 §3.2; a name that nobody knows) turns the
connection into a tunnel, in which nobody asks us about what follows.

A browser opens a WebSocket for any page and sends the cookies of the host along; no CORS protects it. What tells the
application's page from a stranger's is `Origin`, which browsers always send (RFC 6455 §4.1): the serialised origin of
the page (RFC 6454 §6.2), such as `https://chat.example.com`, with the port if it is not the scheme's own, or `null`.
A program that is no browser may leave it out; it has no cookie but the one that it was given.
"""

from typing import Final

from authz.conf import socket_origins
from authz.decisions.vocabulary import Decision, Effect, Question
from authz.decisions.world import World
from authz.edge.canonical import DEFAULT_PORTS, Url, read_origin
from authz.errors import UnreadableUrl

MARKS: Final = frozenset({"upgrade", "sec-websocket-key", "sec-websocket-version"})
"""Headers that only a request to upgrade has. Some proxies drop Upgrade, which is for one hop; a page's script can set
none of the three."""
WEBSOCKET: Final = "websocket"
PAGES: Final = {each: DEFAULT_PORTS[each] for each in ("http", "https")}
"""Schemes that a page may come by, with their ports."""
OPENED_BY: Final = {"ws": "http", "wss": "https"}
"""By which scheme the pages of the same origin come."""
ANOTHER: Final = Decision(Effect.DENY, "a_websocket_is_the_only_upgrade", "upgrade", "Only a WebSocket is an upgrade.")
STRANGE: Final = Decision(
    Effect.DENY,
    "strange_pages_stay_out",
    "origin",
    "A session cookie opens a WebSocket only for pages of its own host or of a registered origin.",
)


def upgrades(headers: dict[str, str]) -> bool:
    """Return whether a request wants its connection to become something else."""
    return not MARKS.isdisjoint(headers)


def judged(decision: Decision, question: Question, world: World, url: Url, headers: dict[str, str]) -> Decision:
    """Return the decision about a request to upgrade, after the rules have decided about it as about any other."""
    if headers.get("upgrade", WEBSOCKET).strip().lower() != WEBSOCKET:
        return ANOTHER
    who = question.who
    if not decision.allowed or who is None or not who.credential.startswith("session:"):
        return decision
    server = world.servers.get(question.target.server)
    if server is not None and server.any_origin:
        return decision
    origin = headers.get("origin")
    return decision if origin is None or is_known(origin, url) else STRANGE


def is_known(origin: str, url: Url) -> bool:
    """Return whether a page is of the host and port that are asked for, or of a registered origin."""
    if origin.lower() in socket_origins():
        return True
    page = _place(origin)
    scheme, _, rest = url.shown.partition("://")
    return page != "" and page == _place(f"{OPENED_BY.get(scheme, scheme)}://{rest.partition('/')[0]}")


def _place(origin: str) -> str:
    """Return an origin with its port written out (RFC 6454 §4); empty if this is no origin of a page."""
    try:
        scheme, host = read_origin(origin)
    except UnreadableUrl:
        return ""
    if scheme not in PAGES:
        return ""
    return f"{scheme}://{host}" if ":" in host.rpartition("]")[2] else f"{scheme}://{host}:{PAGES[scheme]}"
