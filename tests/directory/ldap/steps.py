"""What every test of a real directory does: bring it in step, look at everything, and sign somebody in."""

from typing import Any

from authz.changes import runs
from authz.directory.run import work
from authz.directory.sign_in import sign_in
from authz.errors import BadCredential
from authz.models import Run, Source, User
from tests.directory import cast
from tests.directory.cast import BY


def synced(source: Source, mode: str = Run.FULL) -> Run:
    """Bring a directory in step, and return how that went."""
    run = runs.ask(source, by=BY, mode=mode)
    work()
    run.refresh_from_db()
    source.refresh_from_db()
    return run


def hurried(source: Source) -> None:
    """Give a directory up after a second, now that no answer is to come any more."""
    Source.objects.filter(pk=source.pk).update(settings=source.settings | {"patience": 1})
    source.refresh_from_db()


def everything() -> tuple[set[Any], set[Any]]:
    """Return all that a directory says of people and groups, as it is here."""
    return set(User.objects.values_list("email", "name", "is_active")), cast.memberships()


def comes_in(account: str, password: str, address: str = "192.0.2.1") -> str:
    """Return who came in; nobody's name is empty."""
    try:
        begun = sign_in(email=account, password=password, device="a browser", address=address)
    except BadCredential:
        return ""
    return begun.row.person.email.partition("@")[0]
