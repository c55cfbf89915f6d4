"""Groups: create, edit, remove, nest, unnest, and name owners."""

from typing import Any

from audit import events
from audit.context import Actor
from authz.changes import grants, memberships
from authz.changes.change import change
from authz.changes.edits import assign, differences
from authz.decisions.facts import GroupGone, NestGone, NestIs
from authz.errors import Conflict, NestingCycle
from authz.formats.labels import fold, parse_label
from authz.lookups import facts
from authz.models import Group, Nesting, Ownership, User


def create(*, name: str, by: Actor, description: str = "", source: str = "local", everyone: bool = False) -> Group:
    """Create a group; InvalidName or Conflict says why not."""
    name = parse_label(name, what="group name")
    with change(by) as draft:
        _refuse_taken(name)
        group = Group.objects.create(
            name=name, folded=fold(name), description=description, source=source, everyone=everyone
        )
        draft.say(events.GroupCreated(group=name, description=description, source=source), facts.group(group))
    return group


def edit(group: Group, /, *, by: Actor, **wanted: Any) -> Group:  # noqa: ANN401  fields of the row, by name
    """Change the name or the description of a group."""
    if "name" in wanted:
        wanted["name"] = parse_label(wanted["name"], what="group name")
    with change(by) as draft:
        group = Group.objects.get(pk=group.pk)
        if not (changes := differences(group, wanted)):
            return group
        before = group.name
        if "name" in changes:
            if group.everyone:
                message = f"{group} is built in and keeps its name"
                raise Conflict(message)
            _refuse_taken(wanted["name"], but=group)
            wanted["folded"] = fold(wanted["name"])
        assign(group, wanted)
        draft.say(events.GroupChanged(group=before, changes=changes), facts.group(group))
    return group


def remove(group: Group, *, by: Actor) -> None:
    """Delete a group with its memberships, nestings, grants and owners."""
    if group.everyone:
        message = f"{group} is built in and cannot be removed"
        raise Conflict(message)
    with change(by) as draft:
        if (group := Group.objects.filter(pk=group.pk).first()) is None:  # type: ignore[assignment]  # gone already
            return
        for grant in group.grants.all():
            grants.remove(grant, by=by, reason=f"{group} was removed")
        for membership in group.memberships.select_related("person"):
            memberships.remove(membership, by=by, reason=f"{group} was removed")
        for nesting in [*group.nested.all(), *group.nested_in.all()]:
            unnest(nesting, by=by)
        for ownership in group.ownerships.select_related("person"):
            remove_owner(ownership, by=by)
        for rule in group.rules.select_related("source", "group"):
            draft.say(events.RuleRemoved(directory=str(rule.source), group=group.name, rule=str(rule)))
        number, name = group.pk, group.name
        group.delete()
        draft.say(events.GroupRemoved(group=name), GroupGone(number))


def nest(child: Group, *, parent: Group, by: Actor, source: str = "local") -> Nesting:
    """Put a group in a group, for a source; NestingCycle names the path that would close."""
    if parent.everyone:
        message = f"{parent} holds every person and no groups"
        raise Conflict(message)
    with change(by) as draft:
        if (held := Nesting.objects.filter(child=child, parent=parent, source=source).first()) is not None:
            return held
        if (path := _way_up(parent, child)) is not None:
            raise NestingCycle((child.name, *path))
        nesting = Nesting.objects.create(child=child, parent=parent, source=source)
        draft.say(events.GroupNested(child=child.name, parent=parent.name, source=source), NestIs(child.pk, parent.pk))
    return nesting


def unnest(nesting: Nesting, *, by: Actor) -> None:
    """Take a group out of a group, as far as this source is concerned."""
    with change(by) as draft:
        child, parent, source = nesting.child, nesting.parent, nesting.source
        if Nesting.objects.filter(pk=nesting.pk).delete()[0]:
            left = Nesting.objects.filter(child=child, parent=parent).exists()
            fact = (NestIs if left else NestGone)(child.pk, parent.pk)
            draft.say(events.GroupUnnested(child=child.name, parent=parent.name, source=source), fact)


def add_owner(group: Group, *, person: User, by: Actor) -> Ownership:
    """Make somebody answer for a group."""
    with change(by) as draft:
        ownership, new = Ownership.objects.get_or_create(group=group, person=person)
        if new:
            draft.say(events.OwnerAdded(group=group.name, person=person.email))
    return ownership


def remove_owner(ownership: Ownership, *, by: Actor) -> None:
    """Let somebody no longer answer for a group."""
    with change(by) as draft:
        group, person = ownership.group, ownership.person
        if Ownership.objects.filter(pk=ownership.pk).delete()[0]:
            draft.say(events.OwnerRemoved(group=group.name, person=person.email))


def _refuse_taken(name: str, *, but: Group | None = None) -> None:
    taken = Group.objects.filter(folded=fold(name)).exclude(pk=but.pk if but else 0).first()
    if taken is not None:
        message = f"the group {taken.name!r} has this name already"
        raise Conflict(message)


def _way_up(start: Group, goal: Group) -> tuple[str, ...] | None:
    """Return the names from `start` up to `goal` through nesting, both included; None if there is no way."""
    if start.pk == goal.pk:
        return (start.name,)
    came: dict[int, int] = {start.pk: start.pk}
    names = {start.pk: start.name}
    edge = [start.pk]
    while edge and goal.pk not in came:
        rows = Nesting.objects.filter(child__in=edge).values_list("child_id", "parent_id", "parent__name")
        edge = []
        for child, parent, name in rows:
            if parent not in came:
                came[parent], names[parent] = child, name
                edge.append(parent)
    if goal.pk not in came:
        return None
    path = [goal.pk]
    while path[-1] != start.pk:
        path.append(came[path[-1]])
    return tuple(names[number] for number in reversed(path))
