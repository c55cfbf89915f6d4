"""The way in for what a push or a sign-in told of one person or a few: plan, brake and apply, in one change."""

from typing import NamedTuple

from audit.context import Actor
from authz.changes import runs
from authz.changes.change import change
from authz.directory.apply import apply
from authz.directory.brake import counted
from authz.directory.held import concerned, groups_of, people_of
from authz.directory.observed import Observed, Problem
from authz.directory.plan import plan
from authz.directory.shown import shown
from authz.directory.weighed import reasons_to_wait
from authz.errors import Conflict, ImplausiblePlan
from authz.formats.sources import KINDS, read
from authz.lookups.current import current_world
from authz.models import ForeignGroup, Source, User


class Taken(NamedTuple):
    """Who and what is now known of those that were told of."""

    people: dict[str, User]
    """By key; whoever could not be taken over is missing, and told in the problems."""
    groups: dict[str, ForeignGroup]
    problems: tuple[Problem, ...]


def take(source: Source, observed: Observed, *, by: Actor) -> Taken:
    """Bring our tables in step with what one push or sign-in told, all of it in one change.

    Raises ImplausiblePlan if it must wait for somebody's approval, and Conflict if the directory is switched off;
    nothing is changed then.
    """
    settings = read(KINDS[source.kind], source.settings)
    keys = observed.people.keys() | observed.gone_people | {person for _, person in observed.joined | observed.left}
    world = current_world()
    reasons: dict[str, str] = {}
    with change(by) as draft:
        # What is known is read inside the change: two pushes at the same time are planned one after the other.
        if not Source.objects.filter(pk=source.pk, enabled=True).exists():
            message = f"the directory {source} is switched off"
            raise Conflict(message)
        made = plan(observed, concerned(source, observed, settings), settings)
        problems = made.problems
        reasons, held = reasons_to_wait(source, made, settings, world)
        approved = bool(reasons) and runs.is_approved(source, made.grave)
        if approved:
            reasons = {}
        if not made.empty and not reasons:
            draft.kept = True
            if held is not None and not approved:
                runs.count(source, counted(made, held))
            problems += apply(source, made, by=by)
    if reasons:
        words = tuple(reasons.values())
        runs.hold_push(source, reasons=words, grave=made.grave, preview=shown(made), by=by)
        raise ImplausiblePlan(words)
    return Taken(people_of(keys, source), groups_of(observed.groups.keys(), source), problems)
