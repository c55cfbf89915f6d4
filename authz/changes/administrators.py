"""Administrators: a group that may administer the portal, and people in it."""

from audit.context import Actor
from authz.changes import grants, groups, memberships
from authz.changes.change import change
from authz.decisions.vocabulary import Action, Kind
from authz.models import Grant, Group, Server, User

GROUP = "admin"
"""The group that is made for the first administrator; any other can be granted the portal as well."""


def make_administrator(person: User, *, by: Actor) -> None:
    """Put somebody in the group of administrators, which is made and granted the portal if need be."""
    with change(by):
        group = Group.objects.filter(folded=GROUP).first() or groups.create(
            name=GROUP, description="Administers this portal.", by=by
        )
        portal = Server.objects.get(kind=Kind.PORTAL)
        if not Grant.objects.filter(group=group, server=portal, action=Action.ADMINISTER).exists():
            grants.give(group=group, server=portal, action=Action.ADMINISTER.value, by=by)
        memberships.give(person=person, group=group, reason="administers the portal", by=by)
