"""One form with all its rows is one change: all of it is saved and written in the book, or none."""

from datetime import UTC, datetime

import pytest
from django.contrib.messages import get_messages

from audit.models import Entry
from authz.changes import grants, groups, memberships, people, servers
from authz.models import Group, Membership, Ownership, Server, User
from tests.admin.cast import BY
from tests.admin.screen import errors, fields_of, kinds_since, revision, row, told


def test_a_group_with_rows_of_every_kind_is_one_revision(screen, alice, bob, engineering, interns):
    memberships.give(person=bob, group=engineering, by=BY)
    before, entries = revision(), told()

    answer = screen.send(
        "authz_group",
        "change",
        engineering.pk,
        description="Builds things.",
        **{"memberships-0-DELETE": "on"},
        **row("memberships", 1, person=alice.pk, until_0="2099-01-31", until_1="12:30:00", reason="joined"),
        **row("nested", 0, child=interns.pk),
        **row("ownerships", 0, person=bob.pk),
    )

    assert 302 == answer.status_code
    assert before + 1 == revision()
    assert ["group.changed", "membership.removed", "membership.given", "group.nested", "owner.added"] == kinds_since(
        entries
    )
    assert {before + 1} == set(Entry.objects.filter(number__gt=entries).values_list("revision", flat=True))
    assert {("person", "carol@example.com", "127.0.0.1")} == set(
        Entry.objects.filter(number__gt=entries).values_list("actor_kind", "actor", "address")
    )
    given = Membership.objects.get(group=engineering)
    assert (alice, datetime(2099, 1, 31, 12, 30, tzinfo=UTC), "joined") == (given.person, given.until, given.reason)


def test_a_row_that_is_refused_saves_nothing_of_its_form(screen, alice, engineering):
    memberships.give(person=alice, group=engineering, by=BY)
    before, entries = revision(), told()

    answer = screen.send(
        "authz_group", "change", engineering.pk, name="renamed", **row("memberships", 1, person=alice.pk)
    )

    assert {"memberships-1-person": ["alice@example.com is in renamed already."]} == errors(answer)
    assert (before, entries) == (revision(), told())
    assert "engineering" == Group.objects.get(pk=engineering.pk).name
    assert b"Please correct the error" in answer.content


def test_somebody_new_is_not_created_if_their_groups_are_refused(screen, carol):
    everyone = Group.objects.get(everyone=True)
    answer = screen.send("authz_user", "add", email="dave@example.com", **row("memberships", 0, group=everyone.pk))

    assert ["memberships-0-group"] == list(errors(answer))
    assert not User.objects.filter(email="dave@example.com").exists()


def test_saving_without_a_change_writes_nothing(screen, alice, engineering, search, service):
    memberships.give(person=alice, group=engineering, until=datetime(2099, 1, 1, 1, 1, 1, 5, tzinfo=UTC), by=BY)
    grant = grants.give(group=engineering, server=search, tools=["read", "find"], networks=["10.0.0.0/8"], by=BY)
    before, entries = revision(), told()
    for noun, thing in (("user", alice), ("group", engineering), ("server", search), ("grant", grant)):
        assert 302 == screen.send(f"authz_{noun}", "change", thing.pk).status_code
        assert (before, []) == (revision(), kinds_since(entries)), noun


def test_a_lockout_is_refused_with_its_reason_and_without_a_word_of_success(screen):
    portal = Server.objects.get(kind="portal")
    before = revision()

    answer = screen.send("authz_server", "change", portal.pk, enabled=[])

    assert {"__all__": ["After this change nobody could administer the portal any more."]} == errors(answer)
    assert before == revision()
    assert [] == list(get_messages(answer.wsgi_request))


def test_what_was_removed_meanwhile_is_said(screen, alice, engineering):
    held = memberships.give(person=alice, group=engineering, by=BY)
    path = f"/admin/authz/group/{engineering.pk}/change/"
    sent = screen.client.get(path)
    fields = fields_of(sent) | {"memberships-0-reason": "late"}
    memberships.remove(held, by=BY)

    assert "memberships" in errors(screen.client.post(path, fields))


def test_a_row_that_stands_on_another_page_by_now_is_still_changed(screen, engineering):
    for n in range(25):
        memberships.give(person=people.create(email=f"p{n:02}@example.com", by=BY), group=engineering, by=BY)
    path = f"/admin/authz/group/{engineering.pk}/change/?memberships-page=2"
    fields = fields_of(screen.client.get(path))
    for held in Membership.objects.filter(group=engineering).order_by("pk")[:10]:
        memberships.remove(held, by=BY)

    assert 302 == screen.client.post(path, fields | {"memberships-0-reason": "changed"}).status_code
    assert "changed" == Membership.objects.get(person__email="p20@example.com").reason


def test_two_new_rows_for_the_same_person_are_refused(screen, alice, engineering):
    twice = row("ownerships", 0, person=alice.pk) | row("ownerships", 1, person=alice.pk)

    assert errors(screen.send("authz_group", "change", engineering.pk, **twice))
    assert 0 == Ownership.objects.count()


@pytest.mark.parametrize("noun", ["user", "group", "server", "grant", "membership"])
def test_removing_is_asked_first_and_then_one_change(screen, alice, engineering, search, noun):
    held = memberships.give(person=alice, group=engineering, by=BY)
    given = grants.give(group=engineering, server=search, by=BY)
    thing = {"user": alice, "group": engineering, "server": search, "grant": given, "membership": held}[noun]
    before = revision()

    asked = screen.get(f"authz_{noun}", "delete", thing.pk)
    assert (200, before) == (asked.status_code, revision())
    done = screen.client.post(asked.wsgi_request.path, {"_sure": "1", "reason": "left"})

    assert (302, before + 1) == (done.status_code, revision())
    assert not type(thing).objects.filter(pk=thing.pk).exists()


def test_removing_says_what_goes_as_well(screen, alice, engineering, search):
    memberships.give(person=alice, group=engineering, by=BY)
    grants.give(group=engineering, server=search, by=BY)
    groups.add_owner(engineering, person=alice, by=BY)

    assert (
        b"Goes as well: 1 membership, 1 owner, 1 grant." in screen.get("authz_group", "delete", engineering.pk).content
    )


def test_several_are_removed_in_one_change_or_not_at_all(screen, search):
    other = servers.create(name="jira", by=BY)
    portal = Server.objects.get(kind="portal")
    before = revision()

    refused = screen.act("authz_server", "remove_selected", search, portal)
    assert b"The portal itself cannot be removed." in refused.content
    assert before == revision()
    assert 302 == screen.act("authz_server", "remove_selected", search, other).status_code
    assert before + 1 == revision()
