"""Memberships over all groups: found, given, changed and taken back."""

from authz.changes import memberships
from authz.models import Membership
from tests.admin.cast import BY
from tests.admin.screen import errors, kinds_since, revision, told


def test_a_membership_is_given_changed_and_taken_back(screen, alice, engineering):
    entries = told()
    screen.send("authz_membership", "add", person=alice.pk, group=engineering.pk, reason="joined")
    held = Membership.objects.get(person=alice)
    screen.send("authz_membership", "change", held.pk, until_0="2099-01-01", until_1="10:00", reason="stays")
    held.refresh_from_db()
    assert ("2099-01-01 10:00", "stays", "carol@example.com") == (f"{held.until:%F %R}", held.reason, held.given_by)
    screen.client.post(f"/admin/authz/membership/{held.pk}/delete/", {"_sure": "1", "reason": "left"})

    assert ["membership.given", "membership.changed", "membership.removed"] == kinds_since(entries)


def test_a_second_one_is_refused_beside_the_person(screen, alice, engineering):
    memberships.give(person=alice, group=engineering, by=BY)
    found = errors(screen.send("authz_membership", "add", person=alice.pk, group=engineering.pk))

    assert {"person": ["alice@example.com is in engineering already."]} == found


def test_who_is_in_what_is_fixed(screen, alice, bob, engineering, interns):
    held = memberships.give(person=alice, group=engineering, by=BY)
    screen.send("authz_membership", "change", held.pk, person=bob.pk, group=interns.pk, reason="x")

    held.refresh_from_db()
    assert (alice, engineering) == (held.person, held.group)


def test_what_a_directory_gave_is_left_to_it(screen, alice, engineering):
    held = memberships.give(person=alice, group=engineering, source="scim:hr", by=BY)
    before = revision()
    screen.send("authz_membership", "change", held.pk, reason="mine")

    assert b"is given by scim:hr" in screen.act("authz_membership", "remove_selected", held, reason="").content
    assert before == revision()


def test_several_are_taken_back_at_once(screen, alice, bob, engineering):
    held = [memberships.give(person=each, group=engineering, by=BY) for each in (alice, bob)]
    before = revision()

    assert 302 == screen.act("authz_membership", "remove_selected", *held, reason="closed").status_code
    assert (before + 1, 0) == (revision(), engineering.memberships.count())
