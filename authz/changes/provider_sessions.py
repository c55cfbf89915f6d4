"""Sign-ins by a provider: begin one with what it rests on, end those that the provider ended, keep what it renews."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from audit import events
from audit.context import Actor
from audit.record import record
from authz.changes import sessions
from authz.changes.change import change
from authz.conf import signing_key
from authz.errors import Conflict
from authz.formats.wrapped import unwrap, wrap
from authz.models import ProviderSession, Session, Source, SpentToken, User

LONGEST_SID = 255
OVERTAKEN = timedelta(minutes=15)
"""For how long the end of a session at the provider is remembered: a sign-in that is under way may rest on it."""
NO_LONGER = "the provider no longer vouches"


class Proof(NamedTuple):
    """What a provider showed for somebody."""

    subject: str
    sid: str
    amr: list[str]
    acr: str
    id_token: str
    refresh_token: str


def begin(  # noqa: PLR0913  one argument for each thing a sign-in knows
    source: Source, person: User, proof: Proof, *, device: str, address: str, recheck: timedelta, by: Actor
) -> sessions.Begun:
    """Open a session that rests on a provider's word; Conflict if that is no longer taken, or was taken back."""
    with change(by):
        if not Source.objects.filter(pk=source.pk, enabled=True).exists():
            message = f"{source} is switched off"
            raise Conflict(message)
        if len(proof.sid) > LONGEST_SID:
            message = "the provider's session has too long a name"
            raise Conflict(message)
        if proof.sid and _spent(source).filter(name=_ended(proof.sid)).exists():
            message = "you were signed out there meanwhile"
            raise Conflict(message)
        begun = sessions.begin(
            person=person,
            device=device,
            address=address,
            lifetime=timedelta(seconds=settings.AUTHZ_SESSION_LIFETIME),
            idle=timedelta(seconds=settings.AUTHZ_SESSION_IDLE),
            by=by,
        )
        ProviderSession.objects.create(
            session=begun.row,
            source=source,
            subject=proof.subject,
            sid=proof.sid,
            amr=proof.amr,
            acr=proof.acr,
            id_token=_wrap(proof.id_token, begun.row.pk, "id_token"),
            refresh_token=_wrap(proof.refresh_token, begun.row.pk, "refresh_token"),
            check_at=begun.row.started_at + recheck if proof.refresh_token else None,
        )
    return begun


def id_token_of(held: ProviderSession) -> str:
    """Return the ID token a session began with, or was renewed with; BadCredential if it cannot be read any more."""
    return _unwrap(held.id_token, held.session_id, "id_token")


def refresh_token_of(held: ProviderSession) -> str:
    """Return the refresh token that a session has; BadCredential if it cannot be read any more."""
    return _unwrap(held.refresh_token, held.session_id, "refresh_token")


def end_named(  # noqa: PLR0913  one argument for each thing a logout token says
    source: Source, *, subject: str, sid: str, token: str, until: datetime, by: Actor
) -> int | None:
    """End what a logout token of a provider names; return how many sessions that were, or None if it was used before.

    Named is the provider's session, where there is a `sid`, else every session of the subject. A session of the
    subject's of which the provider never told the `sid` may be the one, and ends too.
    """
    with transaction.atomic():
        if not _spend(source, token, until):
            return None
        if sid:
            over = {"until": timezone.now() + OVERTAKEN}
            SpentToken.objects.update_or_create(source=source, name=_ended(sid), defaults=over)
        one = Q(provider__sid=sid) if sid else Q()
        if sid and subject:
            one |= Q(provider__sid="")
        if subject:
            one &= Q(provider__subject=subject)
        named = Session.objects.filter(one, provider__source=source, ended_at=None)
        with change(by):
            return _end(list(named.order_by("pk")), by=by, because=f"signed out at {source}")


def end_one(held: ProviderSession, *, because: str, by: Actor) -> None:
    """End the session that rests on something which holds no longer."""
    with change(by):
        sessions.end(held.session, by=by, because=because)


def spend(source: Source, token: str, *, until: datetime) -> bool:
    """Use something up that may be used once; False if it was used before. `token` is text of any length."""
    with transaction.atomic():
        return _spend(source, hashlib.sha256(token.encode()).hexdigest(), until)


def claim_due(now: datetime, *, most: int, pause: Callable[[ProviderSession], timedelta]) -> list[ProviderSession]:
    """Return the open sessions whose re-check is due, each to one caller alone: it is due again after `pause`."""
    due = ProviderSession.objects.filter(
        check_at__lte=now, session__ended_at=None, session__until__gt=now, source__enabled=True
    ).exclude(refresh_token="")
    claimed = []
    for held in due.select_related("session__person", "source").order_by("check_at")[:most]:
        # Two that refresh with the same token would look like a thief and its victim (RFC 9700 §4.14.2).
        again = now + pause(held)
        if ProviderSession.objects.filter(pk=held.pk, check_at=held.check_at).update(check_at=again):
            held.check_at = again
            claimed.append(held)
    return claimed


def renew(held: ProviderSession, *, refresh_token: str, id_token: str) -> None:
    """Keep what a provider gave for the refresh token; empty is what it did not give anew."""
    changed = {}
    if refresh_token:
        changed["refresh_token"] = _wrap(refresh_token, held.session_id, "refresh_token")
    if id_token:
        changed["id_token"] = _wrap(id_token, held.session_id, "id_token")
    if changed:
        ProviderSession.objects.filter(pk=held.pk, session__ended_at=None).update(**changed)


def forget() -> int:
    """Forget the tokens of sessions that have ended, and what was spent and is over; return of how many sessions."""
    SpentToken.objects.filter(until__lte=timezone.now()).delete()
    over = ProviderSession.objects.filter(session__ended_at__isnull=False).exclude(id_token="", refresh_token="")
    return over.update(id_token="", refresh_token="", check_at=None)


def refuse(*, name: str, reason: str, by: Actor) -> None:
    """Write down that somebody whom a provider vouches for was not let in."""
    with transaction.atomic():
        record(events.SignInRefused(name=name, reason=reason), by=by)


def _end(open_ones: list[Session], *, by: Actor, because: str) -> int:
    for session in open_ones:
        sessions.end(session, by=by, because=because)
    return len(open_ones)


def _spend(source: Source, name: str, until: datetime) -> bool:
    return SpentToken.objects.get_or_create(source=source, name=name, defaults={"until": until})[1]


def _spent(source: Source) -> models.QuerySet[SpentToken]:
    return SpentToken.objects.filter(source=source, until__gt=timezone.now())


def _ended(sid: str) -> str:
    """Return the name under which the end of a provider's session is remembered; no jti has it."""
    return hashlib.sha256(b"sid\x00" + sid.encode()).hexdigest()


def _wrap(text: str, session: int, what: str) -> str:
    return wrap(text, key=signing_key("provider-session"), purpose=f"session/{session}/{what}")


def _unwrap(wrapped: str, session: int, what: str) -> str:
    return unwrap(wrapped, key=signing_key("provider-session"), purpose=f"session/{session}/{what}")
