"""Memberships as tables inside a group and inside a person, where those of a directory are only shown."""

from datetime import datetime
from typing import Any

from audit.context import Actor
from authz.admin.fields import Fixed
from authz.admin.forms import VerbForm
from authz.admin.inline import Parent, VerbInline
from authz.changes import memberships
from authz.errors import Conflict
from authz.models import Group, Membership, User

LOCAL = "local"


def give(*, person: User, group: Group, by: Actor, until: datetime | None = None, reason: str = "") -> Membership:
    """Put somebody in a group; unlike the verb, refuse if they are in it by hand already, for nobody meant to edit."""
    if Membership.objects.filter(person=person, group=group, source=LOCAL).exists():
        message = f"{person} is in {group} already"
        raise Conflict(message)
    return memberships.give(person=person, group=group, until=until, reason=reason, by=by)


def remove(membership: Membership, *, by: Actor, reason: str = "") -> None:
    """Take somebody out of a group; what a directory gave, only the directory takes."""
    if membership.source != LOCAL:
        message = f"{membership} is given by {membership.source}, and is removed there"
        raise Conflict(message)
    memberships.remove(membership, by=by, reason=reason)


class MembershipForm(VerbForm):
    """Edits the end and the reason of a membership that was given by hand."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Django's own
        """Show what a directory gave, without anything to edit."""
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None and self.instance.source != LOCAL:
            for name in ("until", "reason"):
                if name in self.fields:
                    self.fields[name] = Fixed(getattr(self.instance, name) or "", label=str(self.fields[name].label))

    def clean(self) -> dict[str, Any]:
        """Leave a directory's fields alone."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance.pk is not None and self.instance.source != LOCAL:
            cleaned.update({name: getattr(self.instance, name) for name in ("until", "reason") if name in cleaned})
        return cleaned


class MembershipInline(VerbInline[Parent, Membership]):
    """What both tables have in common."""

    model = Membership
    form = MembershipForm
    readonly_fields = ("source",)

    def edit(self, row: Membership, wanted: dict[str, Any], by: Actor) -> None:
        """Change the end or the reason."""
        memberships.edit(row, by=by, **wanted)

    def remove(self, row: Membership, by: Actor) -> None:
        """Take the person out of the group."""
        remove(row, by=by)


class MembersOfGroup(MembershipInline[Group]):
    """Who is directly in a group."""

    verbose_name = "member"
    fields = ("person", "until", "reason", "source")
    fixed = ("person",)
    blames = "person"
    autocomplete_fields = ("person",)

    def add(self, parent: Group, wanted: dict[str, Any], by: Actor) -> None:
        """Put the person in the group."""
        give(person=wanted["person"], group=parent, until=wanted["until"], reason=wanted["reason"], by=by)


class GroupsOfPerson(MembershipInline[User]):
    """Which groups somebody is directly in."""

    verbose_name = "group"
    verbose_name_plural = "Directly in these groups"
    fields = ("group", "until", "reason", "source")
    fixed = ("group",)
    blames = "group"
    autocomplete_fields = ("group",)

    def add(self, parent: User, wanted: dict[str, Any], by: Actor) -> None:
        """Put the person in the group."""
        give(person=parent, group=wanted["group"], until=wanted["until"], reason=wanted["reason"], by=by)
