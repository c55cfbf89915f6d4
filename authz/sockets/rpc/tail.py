"""The method `audit.tail`: what happened after a position in the book, for those who administer the portal."""

import json
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from audit.models import Entry
from authz.conf import own_origin
from authz.decisions.decide import decide
from authz.decisions.vocabulary import Action, Kind, Question, Target, Where
from authz.errors import BadRequest, NotAllowed, Unavailable
from authz.sockets.rpc.calls import Call

MOST: Final = 500
"""Entries in one answer."""
LAST: Final = 2**63 - 1
"""The largest number that the table can hold."""


def tail(call: Call, after: int | None = None, limit: int = 100) -> dict[str, Any]:
    """Return entries of the book in their order: those after a number, or without one the newest.

    `last` is the number to continue behind; `more` says whether there was more to tell than fits into one answer. Each
    entry has what is hashed and both hashes, so that the chain can be checked on the way. A session or an API key
    with the scope administer is needed, of somebody who administers the portal.
    """
    _demand_administrator(call)
    if not 1 <= limit <= MOST:
        raise BadRequest(f"limit is a number from 1 to {MOST}")
    try:
        found, more = _entries(after, limit)
    except (DatabaseError, InterfaceError) as error:
        raise Unavailable("the book cannot be read now") from error
    last = found[-1]["number"] if found else after or 0
    return {"entries": found, "last": last, "more": more, "revision": call.revision}


def _demand_administrator(call: Call) -> None:
    portal = next((each.number for each in call.world.servers.values() if each.kind == Kind.PORTAL), 0)
    question = Question(call.who, Action.ADMINISTER, Target(Where.SERVER, portal), call.at, address=call.held.address)
    # A token of an issuer says who somebody is, and was not given for administering.
    if call.who.credential.startswith("jwt:") or not decide(question, call.world).allowed:
        raise NotAllowed("the audit log is read by those who administer the portal")
    # A page of another origin was let in for whoever looks at it; what they administer is none of its business.
    by_session, origin = call.who.credential.startswith("session:"), call.held.origin.lower()
    if by_session and origin and origin not in own_origin():
        raise NotAllowed("with a session, the audit log is read by the portal's own pages alone")


def _entries(after: int | None, limit: int) -> tuple[list[dict[str, Any]], bool]:
    if after is None:
        numbers = Entry.objects.order_by("-number").values_list("number", flat=True)[:limit]
        after = min(numbers, default=1) - 1
    rows = Entry.objects.filter(number__gt=max(-LAST, min(after, LAST))).order_by("number")
    left = settings.AUTHZ_SOCKET_LARGEST_MESSAGE // 2
    found: list[dict[str, Any]] = []
    for row in rows[: limit + 1].iterator(chunk_size=50):
        entry = _told(row)
        size = len(json.dumps(entry))
        if len(found) == limit or (found and size > left):
            return found, True
        if size > left:
            # It would never fit; whoever follows the book must still get past it.
            entry |= {"detail": "", "cut": True}
        left -= size
        found.append(entry)
    return found, False


def _told(row: Entry) -> dict[str, Any]:
    return {**row.content(), "previous_hash": row.previous_hash, "hash": row.hash}
