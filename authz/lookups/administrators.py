"""Whether anybody may administer the portal, asked of the tables: inside a change they know more than any World."""

from django.db.models import Q
from django.utils import timezone

from authz.decisions.vocabulary import Action, Kind
from authz.models import Grant, Group, Membership, Nesting, User


def portal_is_administered() -> bool:
    """Return whether some active person may administer the portal now, from anywhere: at most a query per level."""
    lasting = Q(until=None) | Q(until__gt=timezone.now())
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
