"""Signing in with a password: proves who somebody is, slows down guessing, and records what was refused."""

import unicodedata
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
from authz.decisions.names import LONGEST, is_too_long, normalized
from authz.defence.gate import Gate
from authz.errors import BadCredential
from authz.formats.emails import find_email
from authz.models import FailedSignIn, User

FACTOR = 5
"""An account may be reached from many addresses, and an address stand for many people: either may fail this many times
as often as one account from one address. So nobody keeps somebody out from one place alone."""
REFUSED = "That e-mail address and password do not belong together."
TOO_OFTEN = "Too many wrong passwords. Please wait a while and try again."
UNSURE = "Your directory cannot be asked just now. Please try again in a moment."
FOUND = " "
"""What begins the name under which tries against an entry of a directory are counted; nothing typed begins so."""
PATIENCE = 5.0
"""Seconds that somebody waits for their password to be looked at."""

WAITING = 32
"""Sign-ins that wait for each one that is looked at."""

GATE = Gate(settings.AUTHZ_SIGN_INS_AT_ONCE, waiting=WAITING * settings.AUTHZ_SIGN_INS_AT_ONCE)
"""Checking a password is made to cost memory and time; without a bound, strangers could spend all of ours.

It stands before the first query: who waits holds no connection to the database, of which others have need.
"""


class Elsewhere(NamedTuple):
    """What was found where we do not keep the password ourselves."""

    person: User | None
    """Whose password it is; None if it is nobody's."""
    sure: bool = True
    """Whether that was an answer, and not the failure of a directory to give one."""
    why: str = "no such account"
    """What the book says if they are refused."""
    words: str = ""
    """What somebody who proved their password and may not come in yet is told."""


Count = Callable[[str], bool]
"""Counts one more try against an account that was found elsewhere; no if there were too many, and none may be made."""
Prove = Callable[[str, str, User | None, Count], Elsewhere]
"""Told the account as it was typed, the password, and the person of that e-mail if there is one."""


def nowhere(_account: str, _password: str, _person: User | None, _count: Count) -> Elsewhere:
    """Prove nobody: every password is ours."""
    return Elsewhere(None)


def sign_in(*, email: str, password: str, device: str, address: str, elsewhere: Prove = nowhere) -> sessions.Begun:
    """Begin a session; BadCredential says in the same words, after the same work, that account or password is wrong.

    TooBusy says that it was not looked at, for too many sign in just now.

    Whose password is not kept here is asked for `elsewhere`; whoever has one here is never asked for anywhere else.
    """
    account = find_email(email)[:254]
    tries = _Tries(address)
    with GATE.passage(PATIENCE):
        if not tries.count(canonical(email)):
            raise BadCredential(TOO_OFTEN)
        person = User.objects.filter(email=account).first()
        # Somebody unknown costs as long as somebody known: the time must not tell who has an account.
        ours = person is not None and person.has_usable_password()
        known = ours and person is not None and person.is_active and person.is_human
        right = check_password(password, person.password if person is not None and known else _decoy())
    found = Elsewhere(person if right and known else None, why="wrong password" if known else "no such account")
    if not ours and password:
        found = elsewhere(account, password, person, tries.found)
        if found.person is not None and found.person.has_usable_password():
            # They were found by another name than the e-mail that they have here.
            found = Elsewhere(None, why=f"{found.person.email} has a password of their own here")
    person = found.person
    if person is None or not (person.is_active and person.is_human):
        with transaction.atomic():
            record(events.SignInRefused(name=account, reason=found.why if person is None else "no access"), by=tries.by)
        raise BadCredential(found.words or (REFUSED if found.sure else UNSURE))
    begun = sessions.begin(
        person=person,
        device=device,
        address=address,
        lifetime=timedelta(seconds=settings.AUTHZ_SESSION_LIFETIME),
        idle=timedelta(seconds=settings.AUTHZ_SESSION_IDLE),
        by=Actor.person(person.email, address=address),
    )
    tries.forgive()
    return begun


def canonical(typed: str) -> str:
    """Return the form in which tries are counted: servers take one name in many spellings (RFC 4518), as we do not."""
    if is_too_long(typed):
        return typed[:254]  # nobody's name in any spelling
    plain = "".join(each for each in normalized(typed, "NFKC") if unicodedata.category(each) != "Cf")
    return " ".join(normalized(plain.casefold()[:LONGEST], "NFKC").split())[:254]


_decoys: list[str] = []


def _decoy() -> str:
    if not _decoys:
        _decoys.append(make_password("nobody's password"))
    return _decoys[0]


class _Tries:
    """The tries of one sign-in: each is counted before it is made, as failed, until the sign-in succeeds."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.by = Actor.stranger(address=address)
        self.rows: list[FailedSignIn] = []

    def count(self, account: str) -> bool:
        """Count one more against an account; no if there were too many.

        Counting and noting are one transaction of one writer, so that attempts made at the same moment count one
        another. What is refused for coming too often is recorded once in a while and not each time: a stranger must not
        fill the book.
        """
        now, address = timezone.now(), self.address
        since = now - timedelta(seconds=settings.AUTHZ_SIGN_IN_WINDOW)
        most = settings.AUTHZ_SIGN_IN_ATTEMPTS
        with transaction.atomic():
            lock_head()  # every process's attempts queue here, for as long as a count takes
            FailedSignIn.objects.filter(at__lte=since).delete()
            of_account = FailedSignIn.objects.filter(account=account)
            # Of one sign-in only what was typed counts against the address.
            of_address = FailedSignIn.objects.filter(address=address).exclude(account__startswith=FOUND)
            tries = of_account.filter(address=address).count()
            if tries < most and of_account.count() < most * FACTOR and of_address.count() < most * FACTOR:
                self.rows.append(FailedSignIn.objects.create(account=account, address=address, at=now))
                return True
            if tries == most:
                FailedSignIn.objects.create(account=account, address=address, at=now)
                record(events.SignInRefused(name=account.strip(), reason="too many wrong passwords"), by=self.by)
        return False

    def found(self, entry: str) -> bool:
        """Count one more against an entry of a directory, by whichever of its names it was found."""
        return self.count(f"{FOUND}{entry}"[:254])

    def forgive(self) -> None:
        """Forget what was counted: it succeeded."""
        for row in self.rows:
            FailedSignIn.objects.filter(Q(account=row.account, address=row.address) | Q(pk=row.pk)).delete()
