"""Sessions: begin and end."""

import secrets
from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from audit import events
from audit.context import Actor
from authz.changes.change import change
from authz.changes.edits import assign
from authz.conf import signing_key
from authz.errors import Conflict
from authz.formats import session_token
from authz.lookups import facts
from authz.models import Session, User

GRACE = timedelta(minutes=1)
"""Other processes may know of a later use that they have not written down yet."""
DEVICE = 300
"""Characters kept of what a browser says it is."""


class Begun(NamedTuple):
    """A new session's row, and the cookie's text, which is kept nowhere."""

    row: Session
    token: str


def begin(  # noqa: PLR0913  one argument for each thing a session knows
    *, person: User, device: str, address: str, lifetime: timedelta, idle: timedelta, by: Actor
) -> Begun:
    """Open a session for somebody who has just proven who they are."""
    with change(by) as draft:
        if not User.objects.filter(pk=person.pk, is_active=True, is_human=True).exists():
            message = f"{person} may not sign in"
            raise Conflict(message)
        now = timezone.now()
        token = session_token.make(draft.revision, secrets.token_bytes(32), key=signing_key("session"))
        session = Session.objects.create(
            person=person,
            digest=session_token.digest(token),
            device="".join(character for character in device if character.isprintable())[:DEVICE],
            address=address,
            started_at=now,
            seen_at=now,
            until=now + lifetime,
            idle=int(idle.total_seconds()),
        )
        draft.say(
            events.SessionStarted(person=person.email, session=str(session.pk), device=session.device, address=address),
            facts.session(session),
        )
    return Begun(session, token)


def end(session: Session, *, by: Actor, because: str) -> Session:
    """End a session from the next request on."""
    with change(by) as draft:
        session = Session.objects.select_related("person").get(pk=session.pk)
        if session.ended_at is None:
            assign(session, {"ended_at": timezone.now(), "ended_because": because[:100]})
            draft.say(
                events.SessionEnded(person=session.person.email, session=str(session.pk), reason=because),
                facts.session(session),
            )
    return session


def end_all(person: User, *, by: Actor, because: str, but: int | None = None) -> int:
    """End every open session of somebody, except the one numbered `but`; return how many there were."""
    with change(by):
        open_ones = list(Session.objects.filter(person=person, ended_at=None).exclude(pk=but or 0).order_by("pk"))
        for session in open_ones:
            end(session, by=by, because=because)
    return len(open_ones)


def end_expired(*, by: Actor, most: int = 500) -> int:
    """Write down the end of sessions that have ended by themselves; return how many.

    Nobody waits for it: a session is refused from the instant of its end, whatever this row says.
    """
    now = timezone.now()
    unused = Session.objects.filter(ended_at=None, seen_at__lt=now - GRACE).order_by("seen_at")[:most]
    over = [
        (session, "reached its limit" if session.until <= now else "idle for too long")
        for session in unused
        if session.until <= now or session.seen_at + timedelta(seconds=session.idle) + GRACE <= now
    ]
    if over:
        with change(by):
            for session, because in over:
                end(session, by=by, because=because)
    return len(over)
