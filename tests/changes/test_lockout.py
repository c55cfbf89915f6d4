"""Whoever administers the portal last goes on doing so, at once and for good."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.context import Actor
from authz.changes import grants, groups, memberships, people, servers
from authz.changes.administrators import GROUP, make_administrator
from authz.errors import Conflict
from authz.models import Grant, Group, Membership, Server, User

pytestmark = pytest.mark.django_db
CAROL = Actor.person("carol@example.com", address="192.0.2.1")


def test_the_last_administrator_cannot_be_lost() -> None:
    """Neither suspended, nor removed, nor taken out of the group, nor the grant taken back; another one frees her."""
    carol = people.create(email="carol@example.com", by=CAROL)
    make_administrator(carol, by=CAROL)
    admin = Group.objects.get(name=GROUP)
    for refused in (
        lambda: people.suspend(carol, by=CAROL),
        lambda: people.remove(carol, by=CAROL),
        lambda: memberships.remove(Membership.objects.get(person=carol), by=CAROL),
        lambda: grants.remove(admin.grants.get(), by=CAROL),
        lambda: groups.remove(admin, by=CAROL),
        lambda: servers.edit(Server.objects.get(kind="portal"), enabled=False, by=CAROL),
    ):
        with pytest.raises(Conflict, match="nobody could administer"):
            refused()
    assert User.objects.get(pk=carol.pk).is_active
    make_administrator(people.create(email="dave@example.com", by=CAROL), by=CAROL)
    assert not people.suspend(carol, by=CAROL).is_active


def test_the_last_administrator_is_given_no_end() -> None:
    """It would be a lockout that comes by itself, unless somebody beside her may for good."""
    carol, dave = (people.create(email=f"{name}@example.com", by=CAROL) for name in ("carol", "dave"))
    make_administrator(carol, by=CAROL)
    admin, soon = Group.objects.get(name=GROUP), timezone.now() + timedelta(days=1)
    held, grant = Membership.objects.get(person=carol), admin.grants.get()
    memberships.give(person=dave, group=admin, until=soon, by=CAROL)
    for refused in (
        lambda: memberships.edit(held, until=soon, by=CAROL),
        lambda: grants.edit(grant, until=soon, by=CAROL),
    ):
        with pytest.raises(Conflict, match="nobody could administer"):
            refused()
    assert [None, None] == [each.until for each in (Membership.objects.get(pk=held.pk), Grant.objects.get(pk=grant.pk))]

    memberships.edit(Membership.objects.get(person=dave), until=None, by=CAROL)
    assert soon == memberships.edit(held, until=soon, by=CAROL).until
    # Nobody is left for good once Dave goes, and he goes all the same: Carol can still see to what follows.
    assert not people.suspend(dave, by=CAROL).is_active
