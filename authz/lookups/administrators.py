"""Whether anybody may administer the portal, asked of the tables: inside a change they know more than any World."""

from enum import IntEnum

from django.db.models import Q
from django.utils import timezone

from authz.decisions.vocabulary import Action, Kind
from authz.models import Grant, Group, Membership, Nesting, User


class Administered(IntEnum):
    """How long somebody may administer the portal, unless something is changed."""

    BY_NOBODY = 0
    FOR_A_TIME = 1
    """Whoever may, loses it at some time."""
    FOR_GOOD = 2


def administered() -> Administered:
    """Return how long some active person may administer the portal, from anywhere: at most two queries per level."""
    if _administered(Q(until=None)):
        return Administered.FOR_GOOD
    if _administered(Q(until=None) | Q(until__gt=timezone.now())):
        return Administered.FOR_A_TIME
    return Administered.BY_NOBODY


def _administered(lasting: Q) -> bool:
    grants = Grant.objects.filter(
        lasting, server__kind=Kind.PORTAL, server__enabled=True, action=Action.ADMINISTER, networks=[]
    ).only("group_id", "person_id")
    groups = {grant.group_id for grant in grants if grant.group_id is not None}
    people = {grant.person_id for grant in grants if grant.person_id is not None}
    capable = User.objects.filter(is_active=True, is_human=True)
    if people and capable.filter(pk__in=people).exists():
        return True
    edge = groups
    while edge:
        edge = set(Nesting.objects.filter(parent__in=edge).values_list("child_id", flat=True)) - groups
        groups |= edge
    if not groups:
        return False
    if Group.objects.filter(pk__in=groups, everyone=True).exists() and capable.exists():
        return True
    return Membership.objects.filter(lasting, group__in=groups, person__in=capable).exists()
