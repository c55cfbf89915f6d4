"""Groups of a directory: makes, renames and nests ours as its own are, and lets go of what it no longer has."""

from collections.abc import Sequence

from django.db.models import Q
from django.utils import timezone

from audit import events
from audit.context import Actor
from authz.changes import groups, memberships
from authz.changes.change import attempt, change
from authz.changes.edits import assign
from authz.changes.steps import GroupStep
from authz.decisions.facts import NestIs
from authz.models import ForeignGroup, ForeignNest, Group, Membership, Nesting, Source


def take(source: Source, steps: Sequence[GroupStep], *, by: Actor) -> None:
    """Do some steps for groups, but for their nesting and for what is gone; Conflict says which name is taken."""
    label = str(source)
    with attempt(by) as draft:
        for step in steps:
            if step.gone:
                continue
            draft.kept = True
            row = _row(source, step)
            if step.mirrored:
                group = groups.create(name=step.mirrored, source=label, by=by)
                assign(row, {"group": group})
            if step.reclaimed and row.group is not None:
                changes = {"source": (row.group.source, label)}
                assign(row.group, {"source": label})
                draft.say(events.GroupChanged(group=row.group.name, changes=changes))
            if step.renamed and row.group is not None:
                groups.edit(row.group, name=step.renamed, by=by)


def nest(source: Source, steps: Sequence[GroupStep], *, by: Actor) -> None:
    """Nest what is newly nested, and take out what no longer is.

    A circle that the directory has is taken over as it is: everybody in it is in all of it, whichever of its groups one
    begins with. To leave out one of its links would make the answer a matter of chance.
    """
    with attempt(by) as draft:
        rows = _rows(
            source, {step.key for step in steps} | {key for step in steps for key in step.children | step.orphans}
        )
        for step in steps:
            parent = rows.get(step.key)
            if parent is None or step.gone:
                continue
            draft.kept = True
            for child in (rows[key] for key in sorted(step.children) if key in rows):
                ForeignNest.objects.get_or_create(child=child, parent=parent)
            for child in (rows[key] for key in sorted(step.orphans) if key in rows):
                ForeignNest.objects.filter(child=child, parent=parent).delete()
        # A group that has only now become one of ours may be in some that were there before.
        news = [rows[step.key].pk for step in steps if step.mirrored and step.key in rows]
        around = ForeignGroup.objects.filter(nested__child__in=news).distinct()
        parents = {row.pk: row for row in (*(rows[step.key] for step in steps if step.key in rows), *around)}
        mirror_nests(source, list(parents.values()), by=by)


def mirror_nests(source: Source, parents: Sequence[ForeignGroup], *, by: Actor) -> None:
    """Make the nestings of ours that these groups there ask for, and no others of this directory below them."""
    label = str(source)
    with change(by) as draft:
        mirrored = {row.group_id: row for row in parents if row.group_id is not None}
        rows = ForeignNest.objects.filter(
            parent__in=[row.pk for row in parents], child__group__isnull=False, parent__group__isnull=False
        )
        wanted = {pair for pair in rows.values_list("child__group_id", "parent__group_id") if pair[0] != pair[1]}
        held = {
            (nesting.child_id, nesting.parent_id): nesting
            for nesting in Nesting.objects.filter(parent__in=mirrored, source=label).select_related("child", "parent")
        }
        for pair in sorted(held.keys() - wanted):
            groups.unnest(held[pair], by=by)
        new = sorted(wanted - held.keys())
        if not new:
            return
        named = Group.objects.in_bulk({number for pair in new for number in pair})
        Nesting.objects.bulk_create([Nesting(child_id=child, parent_id=parent, source=label) for child, parent in new])
        for child, parent in new:
            draft.say(
                events.GroupNested(child=named[child].name, parent=named[parent].name, source=label),
                NestIs(child, parent),
            )


def let_go(source: Source, steps: Sequence[GroupStep], *, by: Actor) -> None:
    """Part with groups that the directory no longer has, or that are mirrored no longer.

    Ours goes if nothing else hangs on it. If something does it is our own from then on; and if the directory has the
    group again one day, it takes up the same one. A SCIM client deletes for good: its ids never come again.
    """
    label = str(source)
    with attempt(by) as draft:
        unmirrored = {step.key for step in steps if step.unmirrored}
        keys = unmirrored | {step.key for step in steps if step.gone}
        for row in ForeignGroup.objects.filter(source=source, external_id__in=keys).select_related("group"):
            draft.kept = True
            group = row.group
            if row.external_id in unmirrored:
                assign(row, {"group": None})
            elif source.kind == Source.SCIM:
                row.delete()
            else:
                row.members.all().delete()
                ForeignNest.objects.filter(Q(child=row) | Q(parent=row)).delete()
                assign(row, {"gone_at": timezone.now()})
            if group is not None and not ForeignGroup.objects.filter(group=group).exclude(pk=row.pk).exists():
                _leave(group, label, by=by)


def _leave(group: Group, label: str, *, by: Actor) -> None:
    """Take back what the directory gave to a group of ours, and the group itself if it made it for nothing else."""
    with change(by) as draft:
        for membership in Membership.objects.filter(group=group, source=label).select_related("person", "group"):
            memberships.remove(membership, by=by, reason="the directory does not have the group any more")
        for nesting in [*group.nested.filter(source=label), *group.nested_in.filter(source=label)]:
            groups.unnest(nesting, by=by)
        if group.source != label:
            return
        used = (
            group.grants.exists() or group.memberships.exists() or group.nested.exists() or group.nested_in.exists()
            or group.ownerships.exists() or group.rules.exists()
        )  # fmt: skip
        if used:
            assign(group, {"source": "local"})
            draft.say(events.GroupChanged(group=group.name, changes={"source": (label, "local")}))
        else:
            groups.remove(group, by=by)


def _row(source: Source, step: GroupStep) -> ForeignGroup:
    if step.row is None:
        return ForeignGroup.objects.create(source=source, external_id=step.key, **step.known)
    row = ForeignGroup.objects.select_related("group").get(pk=step.row)
    if step.known:
        assign(row, {**step.known, "version": row.version + 1})
        row.save(update_fields=["changed_at"])
    return row


def _rows(source: Source, keys: set[str]) -> dict[str, ForeignGroup]:
    rows = ForeignGroup.objects.filter(source=source)
    found = rows.filter(external_id__in=keys) if len(keys) < MOST_NAMED else rows
    return {row.external_id: row for row in found}


MOST_NAMED = 5000
"""Keys in one query; beyond that all rows are cheaper."""
