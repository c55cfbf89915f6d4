"""Memberships: give, change, remove; each belongs to the source that gave it."""

from datetime import datetime
from typing import Any

from audit import events
from audit.context import Actor
from authz.changes.change import change
from authz.changes.edits import assign, differences, moment
from authz.errors import Conflict
from authz.lookups import facts
from authz.models import Group, Membership, User


def give(  # noqa: PLR0913  one argument for each thing a membership says
    *, person: User, group: Group, by: Actor, until: datetime | None = None, reason: str = "", source: str = "local"
) -> Membership:
    """Put somebody in a group; one that the same source gave already is changed to the new end and reason."""
    if group.everyone:
        message = f"every active person is in {group} without a membership"
        raise Conflict(message)
    with change(by) as draft:
        held = Membership.objects.filter(person=person, group=group, source=source).first()
        if held is not None:
            return edit(held, by=by, until=until, reason=reason)
        membership = Membership.objects.create(
            person=person, group=group, source=source, until=until, reason=reason, given_by=by.name
        )
        draft.say(
            events.MembershipGiven(
                person=person.email, group=group.name, until=moment(until), reason=reason, source=source
            ),
            facts.membership(person.pk, group.pk),
        )
    return membership


def edit(membership: Membership, /, *, by: Actor, **wanted: Any) -> Membership:  # noqa: ANN401  fields of the row, by name
    """Change the end or the reason of a membership."""
    with change(by) as draft:
        membership = Membership.objects.select_related("person", "group").get(pk=membership.pk)
        if changes := differences(membership, wanted):
            assign(membership, wanted)
            draft.say(
                events.MembershipChanged(
                    person=membership.person.email,
                    group=membership.group.name,
                    changes=changes,
                    source=membership.source,
                ),
                facts.membership(membership.person_id, membership.group_id),
            )
    return membership


def remove(membership: Membership, *, by: Actor, reason: str = "") -> None:
    """Take somebody out of a group, as far as this source is concerned."""
    with change(by) as draft:
        person, group = membership.person, membership.group
        if Membership.objects.filter(pk=membership.pk).delete()[0]:
            draft.say(
                events.MembershipRemoved(
                    person=person.email, group=group.name, reason=reason, source=membership.source
                ),
                facts.membership(person.pk, group.pk),
            )
