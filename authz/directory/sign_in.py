"""Signing in with a password that a directory knows: it is asked, and whoever it proves is brought in step at once."""

import logging
import threading
from datetime import timedelta

from audit.context import Actor
from authz.changes import sessions
from authz.changes.sign_in import Elsewhere
from authz.changes.sign_in import sign_in as _sign_in
from authz.directory.taken import take
from authz.errors import AuthzError, DirectoryFailed
from authz.models import Source, User

log = logging.getLogger(__name__)

MOST_AT_ONCE = 8
"""Passwords that one process has directories look at; one that hangs must not hold up everybody else's pages."""
PATIENCE = timedelta(seconds=5).total_seconds()

_at_once = threading.BoundedSemaphore(MOST_AT_ONCE)


def sign_in(*, email: str, password: str, device: str, address: str) -> sessions.Begun:
    """Begin a session by a password of ours or of a directory's; BadCredential as in authz.changes.sign_in."""
    return _sign_in(email=email, password=password, device=device, address=address, elsewhere=prove)


def prove(account: str, password: str, person: User | None) -> Elsewhere:
    """Ask the directories whose password this is: those that know the person, or all of them for somebody unknown."""
    sources = Source.objects.filter(kind=Source.LDAP, enabled=True).order_by("name")
    if person is not None:
        sources = sources.filter(identities__person=person, identities__gone_at=None)
    sure = True
    for source in sources:
        if not _at_once.acquire(timeout=PATIENCE):
            return Elsewhere(None, sure=False)
        try:
            proven = _prove(source, account, password)
        except DirectoryFailed as error:
            log.error("directory.failed", extra={"directory": str(source), "failure": str(error)})  # noqa: TRY400  told
            sure = False
            continue
        finally:
            _at_once.release()
        if proven is not None and (person is None or proven.pk == person.pk):
            return Elsewhere(proven)
    return Elsewhere(None, sure=sure)


def _prove(source: Source, account: str, password: str) -> User | None:
    try:
        from authz.directory.ldap.proof import proven  # noqa: PLC0415  python-ldap may be missing
    except ImportError as error:
        message = f"python-ldap is not installed ({error})"
        raise DirectoryFailed(message) from error
    seen = proven(source, account, password)
    if seen is None:
        return None
    key = next(iter(seen.people))
    try:
        taken = take(source, seen, by=Actor.system("directory"))
    except DirectoryFailed:
        raise
    except AuthzError as error:
        # Whoever cannot be brought in step, for whatever reason, does not come in.
        log.warning("directory.not_taken", extra={"directory": str(source), "why": str(error)})
        return None
    for problem in taken.problems:
        log.warning("directory.not_taken", extra={"directory": str(source), "why": problem.why})
    return taken.people.get(key) if seen.people[key].active else None
