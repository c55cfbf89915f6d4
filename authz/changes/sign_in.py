"""Signing in with a password: proves who somebody is, slows down guessing, and records what was refused."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.utils import timezone

from audit import events
from audit.context import Actor
from audit.record import record
from authz.changes import sessions
from authz.errors import BadCredential
from authz.formats.emails import find_email
from authz.models import FailedSignIn, User

ADDRESS_FACTOR = 5
"""An address may stand for many people, so it may fail this many times as often as one account."""
REFUSED = "That e-mail address and password do not belong together."
TOO_OFTEN = "Too many wrong passwords. Please wait a while and try again."


def sign_in(*, email: str, password: str, device: str, address: str) -> sessions.Begun:
    """Begin a session; BadCredential says in the same words, after the same work, that account or password is wrong."""
    account = find_email(email)[:254]
    by = Actor.stranger(address=address)
    if _fails_too_often(account, address):
        _refuse(account, address, by, "too many wrong passwords", count=False)
        raise BadCredential(TOO_OFTEN)
    person = User.objects.filter(email=account).first()
    # Somebody unknown costs as long as somebody known: the time must not tell who has an account.
    known = person is not None and person.is_active and person.is_human and person.has_usable_password()
    right = check_password(password, person.password if person is not None and known else _decoy())
    if not (right and known and person is not None):
        _refuse(account, address, by, "wrong password" if known else "no such account", count=True)
        raise BadCredential(REFUSED)
    begun = sessions.begin(
        person=person,
        device=device,
        address=address,
        lifetime=timedelta(seconds=settings.AUTHZ_SESSION_LIFETIME),
        idle=timedelta(seconds=settings.AUTHZ_SESSION_IDLE),
        by=Actor.person(person.email, address=address),
    )
    FailedSignIn.objects.filter(account=account).delete()
    return begun


_decoys: list[str] = []


def _decoy() -> str:
    if not _decoys:
        _decoys.append(make_password("nobody's password"))
    return _decoys[0]


def _fails_too_often(account: str, address: str) -> bool:
    since = timezone.now() - timedelta(seconds=settings.AUTHZ_SIGN_IN_WINDOW)
    recent = FailedSignIn.objects.filter(at__gt=since)
    return (
        recent.filter(account=account).count() >= settings.AUTHZ_SIGN_IN_ATTEMPTS
        or recent.filter(address=address).count() >= settings.AUTHZ_SIGN_IN_ATTEMPTS * ADDRESS_FACTOR
    )


def _refuse(account: str, address: str, by: Actor, why: str, *, count: bool) -> None:
    with transaction.atomic():
        now = timezone.now()
        FailedSignIn.objects.filter(at__lt=now - timedelta(seconds=settings.AUTHZ_SIGN_IN_WINDOW)).delete()
        if count:
            FailedSignIn.objects.create(account=account, address=address, at=now)
        record(events.SignInRefused(name=account, reason=why), by=by)
