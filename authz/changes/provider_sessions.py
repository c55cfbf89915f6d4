"""Sign-ins by a provider: begin one with what it rests on, end those that the provider ended, keep what it renews."""

import hashlib
from collections.abc import Callable, Collection
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
SEVERAL = 20
"""Sessions that one who claims looks at; others may claim at the same time."""
OVERTAKEN = timedelta(minutes=15)
"""For how long the end of a session at the provider is remembered: a sign-in that is under way may rest on it."""
RETRY = timedelta(minutes=1)
"""After which a session is asked about again whose provider gave no answer."""
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
    source: Source,
    person: User,
    proof: Proof,
    *,
    since: datetime,
    device: str,
    address: str,
    recheck: timedelta,
    by: Actor,
) -> sessions.Begun:
    """Open a session that rests on a provider's word; Conflict if that is no longer taken, or was taken back.

    `since` is when the sign-in was begun here: what the provider has ended later, it had not to tell of yet.
    """
    with change(by):
        if not Source.objects.filter(pk=source.pk, enabled=True).exists():
            message = f"{source} is switched off"
            raise Conflict(message)
        if len(proof.sid) > LONGEST_SID:
            message = "the provider's session has too long a name"
            raise Conflict(message)
        if _is_over(source, proof, since):
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
        for name in _ends(subject, sid):
            over = {"until": timezone.now() + OVERTAKEN}
            SpentToken.objects.update_or_create(source=source, name=name, defaults=over)
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


def claim_next(
    now: datetime, *, without: Collection[int], pause: Callable[[ProviderSession], timedelta]
) -> ProviderSession | None:
    """Return an open session whose re-check is due, to one caller alone; it is due again after `pause`.

    `without` are the numbers of the sources that are not asked now.
    """
    due = ProviderSession.objects.filter(
        check_at__lte=now, session__ended_at=None, session__until__gt=now, source__enabled=True
    ).exclude(Q(refresh_token="") | Q(source__in=without))
    for held in due.select_related("session__person", "source").order_by("check_at", "pk")[:SEVERAL]:
        # Two that refresh with the same token would look like a thief and its victim (RFC 9700 §4.14.2).
        again = now + pause(held)
        if ProviderSession.objects.filter(pk=held.pk, check_at=held.check_at).update(check_at=again):
            held.check_at = again
            return held
    return None


def ask_again(held: ProviderSession, *, now: datetime) -> None:
    """Ask about a session soon, whose provider gave no answer."""
    again = ProviderSession.objects.filter(pk=held.pk, check_at__gt=now + RETRY)
    again.update(check_at=now + RETRY)


def note_silence(source: Source, *, why: str) -> None:
    """Keep since when a provider gives no answers; health names it until it does."""
    Source.objects.filter(pk=source.pk, failing_since=None).update(failing_since=timezone.now())
    Source.objects.filter(pk=source.pk).exclude(failure=why).update(failure=why)


def note_answer(source: Source) -> None:
    """Keep that a provider answers."""
    Source.objects.filter(pk=source.pk, failing_since__isnull=False).update(failing_since=None, failure="")


def forget_silence(now: datetime) -> None:
    """Forget that providers gave no answers of whom nothing is to be asked any more."""
    asked = ProviderSession.objects.filter(check_at__isnull=False, session__ended_at=None, session__until__gt=now)
    silent = Source.objects.filter(kind=Source.OIDC, failing_since__isnull=False)
    silent.exclude(pk__in=asked.values("source")).update(failing_since=None, failure="")


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


def _is_over(source: Source, proof: Proof, since: datetime) -> bool:
    """Return whether the provider has ended what a sign-in rests on, which was begun at that moment."""
    if proof.sid and _spent(source).filter(name=_ended("sid", proof.sid)).exists():
        return True
    # Somebody who begins to sign in after that has signed in there anew.
    names = [_ended("sub", proof.subject), *([] if proof.sid else [_ended("unnamed", proof.subject)])]
    return _spent(source).filter(name__in=names, until__gte=since + OVERTAKEN).exists()


def _ends(subject: str, sid: str) -> list[str]:
    """Return the names under which is remembered what a logout token has ended."""
    if not sid:
        return [_ended("sub", subject)]
    return [_ended("sid", sid), *([_ended("unnamed", subject)] if subject else [])]


def _ended(what: str, name: str) -> str:
    """Return the name under which an end at the provider is remembered; no jti has it.

    What ends: a session there ("sid"), all of a subject's ("sub"), or those of a subject's that we know no name of.
    """
    return hashlib.sha256(f"{what}\0{name}".encode()).hexdigest()


def _wrap(text: str, session: int, what: str) -> str:
    return wrap(text, key=signing_key("provider-session"), purpose=f"session/{session}/{what}")


def _unwrap(wrapped: str, session: int, what: str) -> str:
    return unwrap(wrapped, key=signing_key("provider-session"), purpose=f"session/{session}/{what}")
