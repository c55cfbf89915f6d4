"""What has to be done so that a directory and our tables agree: computed from what was observed and what is known."""

from dataclasses import dataclass, field

from authz.changes.steps import GroupStep, PersonStep
from authz.directory.known import Known
from authz.directory.observed import Observed, Problem
from authz.directory.planned_groups import GroupPlan, plan_groups
from authz.directory.planned_people import plan_people
from authz.formats.sources import Common


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps, and what stands in the way of others."""

    groups: tuple[GroupStep, ...] = ()
    people: tuple[PersonStep, ...] = ()
    problems: tuple[Problem, ...] = ()
    names: dict[int, str] = field(default_factory=dict)
    """The names of the groups of ours that steps speak of."""
    ours: dict[str, int] = field(default_factory=dict)
    """The groups of ours that mirror the directory's already, by their keys there."""

    @property
    def empty(self) -> bool:
        """Return whether everything agrees already."""
        return not self.groups and not self.people

    @property
    def grave(self) -> frozenset[str]:
        """Return everything in it that could lock somebody out."""
        of_groups = (words for step in self.groups for words in step.grave)
        return frozenset(of_groups) | {words for step in self.people for words in step.grave}

    def counts(self) -> dict[str, int]:
        """Return how much of each there is, leaving out what there is none of."""
        groups, people = self.groups, self.people
        found = {
            "groups_created": sum(bool(step.mirrored) for step in groups),
            "groups_renamed": sum(bool(step.renamed) for step in groups),
            "groups_gone": sum(step.gone or step.unmirrored for step in groups),
            "nestings_added": sum(len(step.children) for step in groups),
            "nestings_removed": sum(len(step.orphans) for step in groups),
            "people_created": sum(step.number is None for step in people),
            "people_linked": sum(step.number is not None and step.identity is None for step in people),
            "people_changed": sum(step.edits for step in people),
            "people_suspended": sum(bool(step.suspended) for step in people),
            "people_restored": sum(step.restored for step in people),
            "people_gone": sum(step.gone for step in people),
            "memberships_given": sum(len(step.given) for step in people),
            "memberships_removed": sum(len(step.removed) for step in people),
        }
        return {name: number for name, number in found.items() if number}


def plan(observed: Observed, known: Known, settings: Common) -> Plan:
    """Return what has to be done; pure, and the same however often it is asked.

    Of what was not told nothing follows: somebody is gone only if everything was read to the end, or if the directory
    said so.
    """
    groups: GroupPlan = plan_groups(observed, known, settings)
    people, problems = plan_people(observed, known, settings, groups)
    return Plan(
        tuple(step for step in groups.steps if _does_something(step)),
        people,
        (*observed.problems, *groups.problems, *problems),
        groups.names,
        {key: held.group for key, held in known.groups.items() if held.group is not None},
    )


def _does_something(step: GroupStep) -> bool:
    return bool(
        step.row is None
        or step.mirrored
        or step.renamed
        or step.gone
        or step.unmirrored
        or step.reclaimed
        or step.known
        or step.children
        or step.orphans
    )


def only_suspensions(made: Plan) -> Plan:
    """Return of a plan that those are suspended whom the directory disabled or no longer has, and nothing else."""
    return Plan(
        people=tuple(
            PersonStep(step.key, step.number, step.identity, suspended=step.suspended, label=step.label)
            for step in made.people
            if step.suspended and step.identity is not None
        )
    )
