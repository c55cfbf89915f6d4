"""Refuses a plan that is too large to be true, or after which nobody could administer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from authz.directory.observed import Observed
from authz.directory.plan import Plan
from authz.errors import DirectoryFailed
from authz.formats.sources import Common

SUSPENDED, REMOVED, GONE, CHANGED, LAST = "suspended", "removed", "gone", "changed", "last"


@dataclass(frozen=True, slots=True)
class Held:
    """How much there is that a plan could take away, and what was taken away lately."""

    people: int
    """Active people whom the directory owns."""
    known: int
    """People whom it told of and still has, whoever owns them."""
    memberships: int
    """Memberships that it gave."""
    groups: int
    """Groups that it told of."""
    lately: Mapping[str, int] = field(default_factory=dict)
    """How much of each kind was taken away within the last hour without approval: what comes one by one is one plan."""
    unnested: int = 0
    """People who would be in fewer groups because groups are nested no longer."""
    last_administrators: tuple[str, ...] = ()
    """Who could administer before and would not after, if nobody else could."""


def refuse_nothing(observed: Observed, held: Held, *, reads_groups: bool = True) -> None:
    """Raise DirectoryFailed for a read that found nobody where somebody was: that is a failure and not an answer."""
    if observed.complete and not observed.people and held.known:
        message = f"the directory showed nobody, and {held.known} people came from it; nothing was changed"
        raise DirectoryFailed(message)
    if observed.complete and reads_groups and not observed.groups and held.groups:
        message = f"the directory showed no group, and {held.groups} came from it; nothing was changed"
        raise DirectoryFailed(message)


def counted(plan: Plan, held: Held) -> dict[str, int]:
    """Return how much a plan takes away or changes, by kind."""
    found = {
        SUSPENDED: sum(bool(step.suspended) for step in plan.people),
        REMOVED: sum(len(step.removed) for step in plan.people) + held.unnested,
        GONE: sum(step.gone or step.unmirrored for step in plan.groups),
        CHANGED: sum(step.edits for step in plan.people) + sum(bool(step.renamed) for step in plan.groups),
    }
    return {kind: number for kind, number in found.items() if number}


def brake(plan: Plan, held: Held, settings: Common) -> dict[str, str]:
    """Return why a plan must wait for somebody's approval: by kind, each a sentence; nothing if it may go on."""
    found = counted(plan, held)
    most = {
        SUSPENDED: min(settings.most_number, _share(held.people, settings.most_share, settings)),
        REMOVED: _share(held.memberships, settings.most_share, settings),
        GONE: _share(held.groups, settings.most_share, settings),
        CHANGED: _share(held.people + held.groups, settings.most_changed_share, settings),
    }
    sentences = {
        SUSPENDED: "{0} of {people} people would be suspended",
        REMOVED: "{0} of {memberships} memberships would be removed",
        GONE: "{0} of {groups} groups would go",
        CHANGED: "the name or e-mail of {0} people or groups would change",
    }
    there = {"people": held.people, "memberships": held.memberships, "groups": held.groups}
    reasons = {}
    for kind, number in found.items():
        before = held.lately.get(kind, 0)
        if number + before > most[kind]:
            lately = f", and {before} were within the last hour" if before else ""
            reasons[kind] = sentences[kind].format(number, **there) + lately
    if held.last_administrators:
        locked_out = ", ".join(held.last_administrators)
        reasons[LAST] = f"nobody could administer any more: {locked_out} would be locked out"
    return reasons


def _share(number: int, share: float, settings: Common) -> int:
    return max(settings.free_number, math.floor(number * share / 100))
