"""Refuses a plan that is too large to be true, or after which nobody could administer."""

import math
from dataclasses import dataclass

from authz.directory.observed import Observed
from authz.directory.plan import Plan
from authz.errors import DirectoryFailed
from authz.formats.sources import Common


@dataclass(frozen=True, slots=True)
class Held:
    """How much there is that a plan could take away."""

    people: int
    """Active people whom the directory owns."""
    memberships: int
    """Memberships that it gave."""
    groups: int
    """Groups that it told of."""
    lately: int = 0
    """People whom it suspended within the last hour: what comes one by one is one plan as well."""
    last_administrators: tuple[str, ...] = ()
    """Who could administer before and would not after, if nobody else could."""


def refuse_nothing(observed: Observed, held: Held) -> None:
    """Raise DirectoryFailed for a read that found nobody where somebody was: that is a failure and not an answer."""
    if observed.complete and not observed.people and held.people:
        message = f"the directory showed nobody, and {held.people} people came from it; nothing was changed"
        raise DirectoryFailed(message)
    if observed.complete and not observed.groups and held.groups:
        message = f"the directory showed no group, and {held.groups} came from it; nothing was changed"
        raise DirectoryFailed(message)


def brake(plan: Plan, held: Held, settings: Common) -> tuple[str, ...]:
    """Return why a plan must wait for somebody's approval, each reason a sentence; nothing if it may go on."""
    reasons = []
    suspended = sum(1 for step in plan.people if step.suspended)
    if suspended and suspended + held.lately > allowed(held.people, settings.most_share, settings):
        lately = f", and {held.lately} were within the last hour" if held.lately else ""
        reasons.append(f"{suspended} of {held.people} people would be suspended{lately}")
    removed = sum(len(step.removed) for step in plan.people)
    if removed > max(settings.free_number, math.floor(held.memberships * settings.most_share / 100)):
        reasons.append(f"{removed} of {held.memberships} memberships would be removed")
    gone = sum(1 for step in plan.groups if step.gone)
    if gone > max(settings.free_number, math.floor(held.groups * settings.most_share / 100)):
        reasons.append(f"{gone} of {held.groups} groups would go")
    changed = sum(step.edits for step in plan.people)
    if changed > max(settings.free_number, math.floor(held.people * settings.most_changed_share / 100)):
        reasons.append(f"the name or e-mail of {changed} of {held.people} people would change")
    if held.last_administrators:
        reasons.append(f"nobody could administer any more: {', '.join(held.last_administrators)} would be locked out")
    return tuple(reasons)


def allowed(people: int, share: float, settings: Common) -> int:
    """Return how many of so many people may be suspended without approval."""
    return min(settings.most_number, max(settings.free_number, math.floor(people * share / 100)))
