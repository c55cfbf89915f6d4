"""How a write is done: alone from its first read on, all of it or nothing, and only what its caller knows."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import transaction
from django.http import HttpRequest
from scim2_models import ForbiddenException, PreconditionFailedException, UniquenessException

from authz.api.scim.door import Call
from authz.directory.observed import Observed, Problem
from authz.directory.taken import Taken, take
from authz.errors import ImplausiblePlan, Unavailable
from authz.formats.sources import ScimSettings, read
from authz.models import Identity, Revision, Rule, Source, User

log = logging.getLogger(__name__)

TRIES: Final = 20
"""How often a change is worked out anew because somebody else made another one meanwhile."""


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


def changed_meanwhile(endpoint: str, key: str) -> Unavailable:
    """Return the error that others are faster all the time."""
    return Unavailable(f"{endpoint}/{key} is being changed by others; try again")


def take_people(call: Call, observed: Observed) -> Taken:
    """Bring people in step; what stands in the way of it is a conflict, and undoes it."""
    _refuse_strangers(call, observed)
    taken = take(call.source, observed, by=call.actor)
    if problems := about_rules_left_out(call.source, taken.problems):
        emails = ", ".join(person.email for person in observed.people.values()) or "this"
        raise conflict(call, problems, f"{emails} cannot be taken over: somebody else has it, or may have it")
    return taken


def about_rules_left_out(source: Source, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Return the problems of what was pushed; that a rule fits several groups is nothing a client could mend."""
    patterns = set(Rule.objects.filter(source=source, kind=Rule.GROUP).values_list("pattern", flat=True))
    return tuple(each for each in problems if each.subject not in patterns)


def conflict(call: Call, problems: tuple[Problem, ...], words: str) -> UniquenessException:
    """Return the error that something is taken; by whom, and from where they come, is for the log alone."""
    for each in problems:
        extra = {"directory": str(call.source), "subject": each.subject, "why": each.why}
        log.warning("scim.problem", extra=extra)
    return UniquenessException(detail=f"{words}; an administrator finds the reason in the log")


def _refuse_strangers(call: Call, observed: Observed) -> None:
    """Refuse to create people, where the directory may not; whom it knows may have any name that is free."""
    if read(ScimSettings, call.source.settings).creates_people:
        return
    known = Identity.objects.filter(source=call.source, external_id__in=observed.people)
    new = observed.people.keys() - set(known.values_list("external_id", flat=True))
    emails = {observed.people[key].email for key in new}
    if User.objects.filter(email__in=emails).count() < len(emails):
        raise ForbiddenException(detail="this directory may not create people")


def matches(request: HttpRequest, version: str) -> None:
    """Refuse to change what is not what the client last saw (RFC 7644 §3.14)."""
    demanded = request.headers.get("If-Match")
    if demanded is not None and not names(demanded, version):
        raise PreconditionFailedException(detail=f"the resource is at version {version} now")


def names(header: str, version: str) -> bool:
    """Return whether a list of entity tags names a version; weak ones count, for there are no others here."""
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or version.removeprefix("W/") in tags
