"""How a write is done: alone from its first read on, all of it or nothing, and only what its caller knows."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.http import HttpRequest
from scim2_models import ForbiddenException, PreconditionFailedException, UniquenessException

from authz.api.scim.door import Call
from authz.directory.observed import Observed
from authz.directory.taken import Taken, take
from authz.errors import ImplausiblePlan
from authz.formats.sources import ScimSettings, read
from authz.models import Revision, User


@contextmanager
def alone() -> Iterator[None]:
    """Let nobody change anything between what is read in here and what is written: a PATCH depends on both.

    What a plan leaves behind that waits for approval stays; whatever else fails takes all of it back.
    """
    held: ImplausiblePlan | None = None
    with transaction.atomic():
        # The row that every change takes first, and so in the same order; SQLite has the whole database by now.
        list(Revision.objects.select_for_update())
        try:
            yield
        except ImplausiblePlan as error:
            held = error
    if held is not None:
        raise held


def take_people(call: Call, observed: Observed) -> Taken:
    """Bring people in step; what stands in the way of it is a conflict, and undoes it."""
    _refuse_strangers(call, observed)
    taken = take(call.source, observed, by=call.actor)
    if taken.problems:
        raise UniquenessException(detail="; ".join(f"{each.subject}: {each.why}" for each in taken.problems))
    return taken


def _refuse_strangers(call: Call, observed: Observed) -> None:
    if read(ScimSettings, call.source.settings).creates_people:
        return
    emails = {person.email for person in observed.people.values()}
    known = set(User.objects.filter(email__in=emails).values_list("email", flat=True))
    if strangers := sorted(emails - known):
        raise ForbiddenException(detail=f"this directory may not create people, and nobody has {', '.join(strangers)}")


def matches(request: HttpRequest, version: str) -> None:
    """Refuse to change what is not what the client last saw (RFC 7644 §3.14)."""
    demanded = request.headers.get("If-Match")
    if demanded is not None and not names(demanded, version):
        raise PreconditionFailedException(detail=f"the resource is at version {version} now")


def names(header: str, version: str) -> bool:
    """Return whether a list of entity tags names a version; weak ones count, for there are no others here."""
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or version.removeprefix("W/") in tags
