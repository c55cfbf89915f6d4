"""Administrators: a group that opens the portal and nothing else, and people in it.

A group is taken for that only if being in it gives nothing but administering the portal, directly and through every
group it is nested in, for good and from anywhere. A group that an application asks about by its name, as Atlas UI 3
asks about `admin`, is never made into one.
"""

from collections.abc import Iterable
from itertools import count
from typing import Final

from audit.context import Actor
from authz.changes import grants, groups, memberships
from authz.changes.change import change
from authz.decisions.names import fold, shown
from authz.decisions.vocabulary import Action, Kind
from authz.errors import Conflict, NoSuchThing
from authz.models import Grant, Group, Nesting, Server, User

GROUP: Final = "gatehouse-admins"
"""The name of the group that is made where there is none; a number follows if it is taken."""


class Undecided(Conflict):
    """Several groups administer the portal and nothing else; somebody has to say which is meant."""

    def __init__(self, names: Iterable[str]) -> None:
        """Keep their names, in order."""
        self.names = sorted(names)
        super().__init__(f"several groups administer the portal and nothing else: {', '.join(self.names)}; name one")


def make_administrator(person: User, *, group: str = "", by: Actor) -> Group:
    """Put somebody in the group of administrators, and return it; one is made if there is none.

    `group` names it where there are several, or Undecided is raised. A group that gives anything else is refused with
    what that is.
    """
    with change(by):
        found = _named(group) if group else _only() or _made(by=by)
        memberships.give(person=person, group=found, reason="administers the portal", by=by)
    return found


def groups_of_administrators() -> list[Group]:
    """Return the groups of this portal's own that administer it and give nothing else, by name."""
    granted = Group.objects.filter(grants__server__kind=Kind.PORTAL, grants__action=Action.ADMINISTER)
    return [group for group in granted.distinct() if not _objections(group)]


def _only() -> Group | None:
    found = groups_of_administrators()
    if len(found) > 1:
        raise Undecided(group.name for group in found)
    return found[0] if found else None


def _named(name: str) -> Group:
    group = Group.objects.filter(folded=fold(name)).first()
    if group is None:
        message = f"no group is called {shown(name)}"
        raise NoSuchThing(message)
    if objections := _objections(group):
        message = f"{group.name} is not a group of administrators alone: {'; '.join(objections)}"
        raise Conflict(message)
    return group


def _made(*, by: Actor) -> Group:
    names = (GROUP if number == 1 else f"{GROUP}-{number}" for number in count(1))
    free = next(name for name in names if not Group.objects.filter(folded=name).exists())
    made = groups.create(name=free, description="Administers Gatehouse, and nothing else.", by=by)
    portal = Server.objects.get(kind=Kind.PORTAL)
    grants.give(group=made, server=portal, action=Action.ADMINISTER.value, by=by)
    return made


def _objections(group: Group) -> list[str]:
    """Return why being in a group is not administering the portal for good and nothing else, each in words."""
    found = []
    if group.everyone:
        found.append("everybody is in it")
    if group.source != "local":
        found.append(f"it belongs to {group.source}")
    through = _with_ancestors(group)
    given = list(Grant.objects.filter(group__in=through).select_related("group", "server"))
    for grant in given:
        if grant.server.kind != Kind.PORTAL or grant.action != Action.ADMINISTER:
            found.append(f"{grant}")
        elif grant.until is not None or grant.networks or grant.tools is not None:
            found.append(f"{grant}, but not from anywhere and for good")
    if not given:
        found.append("it opens nothing")
    return found


def _with_ancestors(group: Group) -> set[int]:
    """Return the numbers of a group and of every group it is nested in, at any depth; a query for each level."""
    found = edge = {group.pk}
    while edge:
        edge = set(Nesting.objects.filter(child__in=edge).values_list("parent_id", flat=True)) - found
        found = found | edge
    return found
