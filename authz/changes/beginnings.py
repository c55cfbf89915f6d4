"""Puts in what every installation begins with: the revision, the group of everyone, and the portal itself.

Part of the installation and not of its history, so without an entry in the book; done after every migrate, and only
where it is missing.
"""

import secrets

from django.db import transaction

from audit import events
from audit.context import Actor
from authz.changes.change import change
from authz.decisions.vocabulary import Kind
from authz.models import Group, Revision, Server

EVERYONE = "users"


@transaction.atomic
def begin() -> None:
    """Write the first rows, unless they are there."""
    if not Revision.objects.exists():
        Revision.objects.create(n=0, epoch=secrets.token_hex(4))
    if not Group.objects.filter(everyone=True).exists():
        Group.objects.create(
            name=EVERYONE,
            folded=EVERYONE,
            everyone=True,
            description="Every active person, without a membership.",
        )
    if not Server.objects.filter(kind=Kind.PORTAL).exists():
        Server.objects.create(
            name="portal",
            folded="portal",
            kind=Kind.PORTAL,
            description="Gatehouse itself: whoever may administer it is an administrator.",
        )


def begin_another_history(*, by: Actor) -> str:
    """Give the history of revisions another name, and return it; every process rebuilds its World."""
    epoch = secrets.token_hex(4)
    with change(by) as draft:
        Revision.objects.update(epoch=epoch)
        draft.say(events.HistoryBegun(epoch=epoch))
    return epoch
