"""Weighs a plan before it is done: how much it would take away of what there is, and from whom."""

import time
from collections import Counter
from datetime import timedelta

from django.utils import timezone

from authz.decisions.world import World
from authz.directory.brake import Held, brake
from authz.directory.effects import Effects, Watch, below_what_is_unnested, effects, last_administrators, unwatched
from authz.directory.plan import Plan
from authz.formats.sources import Common
from authz.models import ForeignGroup, Identity, Membership, Source, Toll, User

LATELY = timedelta(hours=1)
"""Within which what comes one by one is counted together."""
PAIRS = 5000
"""People of whom it is looked up what else gives them a membership."""


def held_of(source: Source, plan: Plan, world: World) -> Held:
    """Return how much there is that a plan could take away, and who would be the last to administer."""
    label = str(source)
    lately: Counter[str] = Counter()
    for counts in Toll.objects.filter(source=source, at__gt=timezone.now() - LATELY).values_list("counts", flat=True):
        lately.update(counts)
    return Held(
        people=User.objects.filter(source=label, is_active=True).count(),
        known=Identity.objects.filter(source=source, gone_at=None).count(),
        memberships=Membership.objects.filter(source=label).count(),
        groups=ForeignGroup.objects.filter(source=source, gone_at=None).count(),
        lately=lately,
        unnested=below_what_is_unnested(plan, world),
        last_administrators=last_administrators(plan, world, at=time.time(), kept=given_by_others(source, plan)),
    )


def given_by_others(source: Source, plan: Plan) -> frozenset[tuple[int, int]]:
    """Return the memberships that a plan would remove and that somebody else gives as well."""
    people = [step.number for step in plan.people if step.removed and step.number is not None]
    groups = {group for step in plan.people for group in step.removed}
    rows = Membership.objects.filter(person__in=people[:PAIRS], group__in=groups).exclude(source=str(source))
    return frozenset(rows.values_list("person_id", "group_id"))


def meaning(source: Source, plan: Plan, world: World, watch: Watch = unwatched) -> Effects:
    """Return who would gain or lose access to what."""
    return effects(plan, world, at=time.time(), kept=given_by_others(source, plan), watch=watch)


def reasons_to_wait(source: Source, plan: Plan, settings: Common, world: World) -> tuple[dict[str, str], Held | None]:
    """Return why a plan needs approval, by kind, and what it was held against; nothing where it takes nothing away."""
    if not plan.grave:
        return {}, None
    held = held_of(source, plan, world)
    return brake(plan, held, settings), held
