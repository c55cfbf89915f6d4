"""Signing in with a password that a directory knows: it is asked, and whoever it proves is brought in step at once."""

import logging
import threading
from datetime import timedelta

from audit.context import Actor
from authz.changes import sessions
from authz.changes.sign_in import Count, Elsewhere
from authz.changes.sign_in import sign_in as _sign_in
from authz.directory.taken import take
from authz.errors import AuthzError, DirectoryFailed, ImplausiblePlan
from authz.models import Source, User
from authz.outbound.waiting import leave_database

log = logging.getLogger(__name__)

MOST_AT_ONCE = 8
"""Passwords that one process has one directory look at; one that hangs must not hold up all the others' people."""
PATIENCE = timedelta(seconds=5).total_seconds()
WAITS = "Your account waits for an administrator's approval."

_at_once: dict[int, threading.BoundedSemaphore] = {}


def sign_in(*, email: str, password: str, device: str, address: str) -> sessions.Begun:
    """Begin a session by a password of ours or of a directory's; BadCredential as in authz.changes.sign_in."""
    return _sign_in(email=email, password=password, device=device, address=address, elsewhere=prove)


def prove(account: str, password: str, person: User | None, count: Count) -> Elsewhere:
    """Ask the directories whose password this is: those that know the person, or all of them for somebody unknown."""
    sources = Source.objects.filter(kind=Source.LDAP, enabled=True).order_by("name")
    if person is not None:
        sources = sources.filter(identities__person=person, identities__gone_at=None)
    refused = Elsewhere(None)
    for source in sources:
        at_once = _at_once.setdefault(source.pk, threading.BoundedSemaphore(MOST_AT_ONCE))
        leave_database()
        if not at_once.acquire(timeout=PATIENCE):
            refused = refused._replace(sure=False, why=f"{source} is busy")
            continue
        try:
            found = _prove(source, account, password, count)
        except AuthzError as error:
            # Whatever is wrong with one directory must not keep out the people of another.
            log.error("directory.failed", extra={"directory": str(source), "failure": str(error)})  # noqa: TRY400  told
            refused = refused._replace(sure=False, why=f"{source} gave no answer")
            continue
        finally:
            at_once.release()
        if found.words:
            return found
        if found.person is not None and (person is None or found.person.pk == person.pk):
            return found
        if found.person is None and found.why != refused.why and refused.sure:
            refused = found
    return refused


def _prove(source: Source, account: str, password: str, count: Count) -> Elsewhere:
    try:
        from authz.directory.ldap.proof import proven  # noqa: PLC0415  python-ldap may be missing
    except ImportError as error:
        message = f"python-ldap is not installed ({error})"
        raise DirectoryFailed(message) from error
    seen = proven(source, account, password, count=count)
    if seen is None:
        return Elsewhere(None)
    key = next(iter(seen.people))
    try:
        taken = take(source, seen, by=Actor.system("directory"))
    except ImplausiblePlan as error:
        return Elsewhere(None, why=f"{source} waits for approval: {error}", words=WAITS)
    if not seen.people[key].active:
        return Elsewhere(None, why=f"{source} says that they are disabled")
    for problem in taken.problems:
        log.warning("directory.not_taken", extra={"directory": str(source), "why": problem.why})
    if key not in taken.people:
        why = next((problem.why for problem in taken.problems), "they cannot be taken over")
        return Elsewhere(None, why=f"{source}: {why}")
    return Elsewhere(taken.people[key])
