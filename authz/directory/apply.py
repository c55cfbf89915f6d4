"""Does a plan, a part at a time: what fails is told and left out, and the rest goes on."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from audit.context import Actor
from authz.changes import synced_groups, synced_people
from authz.changes.steps import GroupStep, PersonStep
from authz.directory.observed import Problem
from authz.directory.plan import Plan, only_suspensions
from authz.errors import AuthzError
from authz.models import Source

AT_ONCE = 100
"""Steps in one change: everybody else who writes waits for it, and every process applies it to its World at once."""

Progress = Callable[[str, int, int], None]
"""Told the stage, how many steps are done, and of how many; it may raise to stop between two changes."""
Step = TypeVar("Step", PersonStep, GroupStep)
REFUSALS = (AuthzError, IntegrityError, ValidationError)
"""What says that one step cannot be done; anything else stops the run."""


def quietly(_stage: str, _done: int, _all: int) -> None:
    """Tell nobody."""


def apply(source: Source, plan: Plan, *, by: Actor, progress: Progress = quietly) -> tuple[Problem, ...]:
    """Do all of a plan in changes of some steps each, and return what could not be done.

    Whoever is to be locked out comes first, and what gives anything comes last.
    """
    work = _Work(progress, len(plan.groups) + len(plan.people))
    new = [step for step in plan.groups if not step.gone]
    nested = [step for step in plan.groups if step.children or step.orphans or step.mirrored or step.reclaimed]
    take_people = partial(synced_people.take, source, by=by)
    work.through("people to be suspended", only_suspensions(plan).people, take_people, counted=False)
    work.through("groups", new, partial(synced_groups.take, source, by=by))
    work.through("nesting", nested, partial(synced_groups.nest, source, by=by), counted=False)
    work.through("people", plan.people, take_people)
    gone = [step for step in plan.groups if step.gone or step.unmirrored]
    work.through("groups that are gone", gone, partial(synced_groups.let_go, source, by=by))
    return tuple(work.problems)


class _Work:
    def __init__(self, progress: Progress, steps: int) -> None:
        self.progress, self.steps, self.done = progress, steps, 0
        self.problems: list[Problem] = []

    def through(
        self, stage: str, steps: Sequence[Step], do: Callable[[Sequence[Step]], None], *, counted: bool = True
    ) -> None:
        """Do steps in batches; one that fails is done again one by one, so that only what is wrong is left out."""
        for start in range(0, len(steps), AT_ONCE):
            some = steps[start : start + AT_ONCE]
            self.progress(stage, self.done, self.steps)
            try:
                do(some)
            except REFUSALS:
                for step in some:
                    try:
                        do([step])
                    except REFUSALS as error:
                        self.problems.append(Problem(step.label or step.key, " ".join(str(error).split())))
            self.done += len(some) if counted else 0
        self.progress(stage, self.done, self.steps)
