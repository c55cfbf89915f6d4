"""Who says so: the source of every membership and nesting behind an explanation, which the World does not need."""

from collections import defaultdict
from itertools import pairwise
from typing import Any

from django.db.models import Q

from authz.decisions.explain import Explanation
from authz.decisions.told import told
from authz.decisions.world import World
from authz.models import Membership, Nesting


def told_with_sources(explanation: Explanation, world: World) -> dict[str, Any]:
    """Return an explanation as `told` does, each way with who gave the membership and the nestings that it rests on.

    `given_by` holds {"source", "reason", "until", "by", "at"}: a directory, or local for what was given by hand; a rule
    is named in the reason. `nested_by` holds the sources of each step up.
    """
    found = told(explanation, world)
    if explanation.question.who is None:
        return found
    person = explanation.question.who.person
    starts = {way.groups[0] for way in explanation.openings if way.groups and not way.given}
    given: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in Membership.objects.filter(person=person, group__in=starts).order_by("source"):
        until = row.until.isoformat() if row.until else None
        told_of = {"source": row.source, "reason": row.reason, "until": until}
        given[row.group_id].append(told_of | {"by": row.given_by, "at": row.given_at.isoformat()})
    nested = _nested({step for way in explanation.openings for step in pairwise(way.groups)})
    for way, words in zip(explanation.openings, found["because"], strict=True):
        words["given_by"] = given[way.groups[0]] if way.groups and not way.given else []
        words["nested_by"] = [nested[step] for step in pairwise(way.groups)]
    return found


def _nested(steps: set[tuple[int, int]]) -> defaultdict[tuple[int, int], list[str]]:
    found: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    if steps:
        asked = Q()
        for child, parent in sorted(steps):
            asked |= Q(child=child, parent=parent)
        for row in Nesting.objects.filter(asked).order_by("source"):
            found[row.child_id, row.parent_id].append(row.source)
    return found
