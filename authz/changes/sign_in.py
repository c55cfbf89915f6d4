"""Signing in with a password: proves who somebody is, slows down guessing, and records what was refused."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from audit import events
from audit.context import Actor
from audit.record import lock_head, record
from authz.changes import sessions
from authz.errors import BadCredential
from authz.formats.emails import find_email
from authz.models import FailedSignIn, User

FACTOR = 5
"""An account may be reached from many addresses, and an address stand for many people: either may fail this many times
as often as one account from one address. So nobody keeps somebody out from one place alone."""
REFUSED = "That e-mail address and password do not belong together."
TOO_OFTEN = "Too many wrong passwords. Please wait a while and try again."
UNSURE = "Your directory cannot be asked just now. Please try again in a moment."
BUSY = "Too many people are signing in just now. Please try again in a moment."
PATIENCE = 5.0
"""Seconds that somebody waits for their password to be looked at."""

_at_once = threading.BoundedSemaphore(settings.AUTHZ_SIGN_INS_AT_ONCE)
"""Checking a password is made to cost memory and time; without a bound, strangers could spend all of ours."""


class Elsewhere(NamedTuple):
    """What was found where we do not keep the password ourselves."""

    person: User | None
    """Whose password it is; None if it is nobody's."""
    sure: bool = True
    """Whether that was an answer, and not the failure of a directory to give one."""


Prove = Callable[[str, str, User | None], Elsewhere]
"""Told the account as it was typed, the password, and the person of that e-mail if there is one."""


def nowhere(_account: str, _password: str, _person: User | None) -> Elsewhere:
    """Prove nobody: every password is ours."""
    return Elsewhere(None)


def sign_in(*, email: str, password: str, device: str, address: str, elsewhere: Prove = nowhere) -> sessions.Begun:
    """Begin a session; BadCredential says in the same words, after the same work, that account or password is wrong.

    Whose password is not kept here is asked for `elsewhere`; whoever has one here is never asked for anywhere else.
    """
    account = find_email(email)[:254]
    by = Actor.stranger(address=address)
    attempt = _attempt(account, address, by)
    if attempt is None:
        raise BadCredential(TOO_OFTEN)
    if not _at_once.acquire(timeout=PATIENCE):
        raise BadCredential(BUSY)
    try:
        person = User.objects.filter(email=account).first()
        # Somebody unknown costs as long as somebody known: the time must not tell who has an account.
        known = person is not None and person.is_active and person.is_human and person.has_usable_password()
        right = check_password(password, person.password if person is not None and known else _decoy())
    finally:
        _at_once.release()
    found = Elsewhere(person if right and known else None)
    if not known and password:
        found = elsewhere(account, password, person)
    person = found.person
    if person is None or not (person.is_active and person.is_human):
        why = "wrong password" if known else "no such account" if found.sure else "the directory gave no answer"
        with transaction.atomic():
            record(events.SignInRefused(name=account, reason=why), by=by)
        raise BadCredential(REFUSED if found.sure else UNSURE)
    begun = sessions.begin(
        person=person,
        device=device,
        address=address,
        lifetime=timedelta(seconds=settings.AUTHZ_SESSION_LIFETIME),
        idle=timedelta(seconds=settings.AUTHZ_SESSION_IDLE),
        by=Actor.person(person.email, address=address),
    )
    FailedSignIn.objects.filter(Q(account=account, address=address) | Q(pk=attempt.pk)).delete()
    return begun


_decoys: list[str] = []


def _decoy() -> str:
    if not _decoys:
        _decoys.append(make_password("nobody's password"))
    return _decoys[0]


def _attempt(account: str, address: str, by: Actor) -> FailedSignIn | None:
    """Count an attempt before it is made, as failed until it succeeds; None if there were too many.

    Counting and noting are one transaction of one writer, so that attempts made at the same moment count one another.
    What is refused for coming too often is recorded once in a while and not each time: a stranger must not fill the
    book.
    """
    now = timezone.now()
    since = now - timedelta(seconds=settings.AUTHZ_SIGN_IN_WINDOW)
    most = settings.AUTHZ_SIGN_IN_ATTEMPTS
    with transaction.atomic():
        lock_head()  # every process's attempts queue here, for as long as a count takes
        FailedSignIn.objects.filter(at__lte=since).delete()
        of_account, of_address = (
            FailedSignIn.objects.filter(account=account),
            FailedSignIn.objects.filter(address=address),
        )
        tries = of_account.filter(address=address).count()
        if tries < most and of_account.count() < most * FACTOR and of_address.count() < most * FACTOR:
            return FailedSignIn.objects.create(account=account, address=address, at=now)
        if tries == most:
            FailedSignIn.objects.create(account=account, address=address, at=now)
            record(events.SignInRefused(name=account, reason="too many wrong passwords"), by=by)
    return None
