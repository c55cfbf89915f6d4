"""Groups are added, nested, owned and removed; a circle is refused with its path."""

import pytest

from authz.changes import groups, memberships, people
from authz.models import Group, Membership, Nesting, Ownership
from tests.admin.cast import BY
from tests.admin.screen import errors, revision, row


def test_a_group_is_added_with_members(screen, alice):
    answer = screen.send("authz_group", "add", name=" Sales ", **row("memberships", 0, person=alice.pk))

    sales = Group.objects.get(name="Sales")
    assert 302 == answer.status_code
    assert [alice] == [each.person for each in sales.memberships.all()]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "required"),
        ("ENGINEERING", "'engineering' has this name already"),
        ("a\x07b", "cannot be shown"),
        ("a\u200bb", "cannot be shown"),
        ("x" * 201, "at most 200"),
    ],
)
def test_a_name_that_will_not_do_is_refused_beside_its_field(screen, engineering, name, said):
    found = errors(screen.send("authz_group", "add", name=name))

    assert ["name"] == list(found)
    assert said in found["name"][0]


def test_a_name_with_a_comma_and_accents_is_shown_as_it_is(screen):
    screen.send("authz_group", "add", name="Ärzte, R&D <b>")

    assert "Ärzte, R&amp;D &lt;b&gt;" in screen.get("authz_group").content.decode()


def test_a_circle_is_refused_with_its_path_and_from_both_ends(screen, engineering, interns):
    staff = groups.create(name="staff", by=BY)
    groups.nest(interns, parent=engineering, by=BY)
    groups.nest(engineering, parent=staff, by=BY)
    before = revision()

    inside = errors(screen.send("authz_group", "change", interns.pk, **row("nested", 0, child=staff.pk)))
    around = errors(screen.send("authz_group", "change", staff.pk, **row("nested_in", 0, parent=interns.pk)))
    itself = errors(screen.send("authz_group", "change", staff.pk, **row("nested_in", 0, parent=staff.pk)))

    circle = "This would make a circle: staff in interns in engineering in staff."
    assert {"nested-0-child": [circle]} == inside
    assert {"nested_in-0-parent": [circle]} == around
    assert {"nested_in-0-parent": ["This would make a circle: staff in staff."]} == itself
    assert before == revision()


def test_nested_groups_and_owners_are_taken_out(screen, alice, engineering, interns):
    groups.nest(interns, parent=engineering, by=BY)
    groups.add_owner(engineering, person=alice, by=BY)

    screen.send("authz_group", "change", engineering.pk, **{"nested-0-DELETE": "on", "ownerships-0-DELETE": "on"})

    assert (0, 0) == (Nesting.objects.count(), Ownership.objects.count())


def test_the_end_and_the_reason_of_a_membership_are_edited_in_place(screen, alice, engineering):
    memberships.give(person=alice, group=engineering, by=BY)

    screen.send(
        "authz_group",
        "change",
        engineering.pk,
        **{"memberships-0-until_0": "2099-01-31", "memberships-0-until_1": "00:00", "memberships-0-reason": "project"},
    )

    held = Membership.objects.get(group=engineering)
    assert ("2099-01-31 00:00", "project") == (f"{held.until:%F %R}", held.reason)


def test_a_moment_that_is_none_is_refused_beside_it(screen, alice, engineering):
    sent = row("memberships", 0, person=alice.pk, until_0="tomorrow", until_1="12:00")

    assert ["memberships-0-until"] == list(errors(screen.send("authz_group", "change", engineering.pk, **sent)))


def test_nobody_can_be_put_in_place_of_somebody_else(screen, alice, bob, engineering):
    memberships.give(person=alice, group=engineering, by=BY)

    screen.send(
        "authz_group", "change", engineering.pk, **{"memberships-0-person": bob.pk, "memberships-0-reason": "x"}
    )

    assert [alice] == [each.person for each in engineering.memberships.all()]


def test_what_a_directory_gave_is_shown_and_left_alone(screen, engineering):
    eve = people.create(email="eve@example.com", by=BY)
    held = memberships.give(person=eve, group=engineering, source="ldap:corp", by=BY)
    before = revision()

    screen.send("authz_group", "change", engineering.pk, **{"memberships-0-reason": "mine"})
    assert before == revision()

    said = errors(screen.send("authz_group", "change", engineering.pk, **{"memberships-0-DELETE": "on"}))
    assert {"__all__": ["eve@example.com in engineering is given by ldap:corp, and is removed there."]} == said

    screen.send("authz_group", "change", engineering.pk, **row("memberships", 1, person=eve.pk))
    assert {"ldap:corp", "local"} == {each.source for each in engineering.memberships.all()}
    assert Membership.objects.filter(pk=held.pk).exists()


def test_the_group_of_everyone_keeps_its_name_has_no_members_and_stays(screen, alice):
    everyone = Group.objects.get(everyone=True)
    shown = screen.get("authz_group", "change", everyone.pk)

    assert ["nested_in", "ownerships"] == [each.formset.prefix for each in shown.context["inline_admin_formsets"]]
    screen.send("authz_group", "change", everyone.pk, name="other", description="All of us.")
    everyone.refresh_from_db()
    assert ("users", "All of us.") == (everyone.name, everyone.description)
    assert 403 == screen.get("authz_group", "delete", everyone.pk).status_code
    assert b"is built in and cannot be removed" in screen.act("authz_group", "remove_selected", everyone).content


def test_a_group_that_makes_the_only_administrators_stays(screen):
    admins = Group.objects.get(name="gatehouse-admins")
    answer = screen.client.post(f"/admin/authz/group/{admins.pk}/delete/", {"_sure": "1"})

    assert b"nobody could administer the portal any more" in answer.content
    assert Group.objects.filter(pk=admins.pk).exists()


def test_a_nesting_that_a_directory_gave_is_only_shown(screen, engineering, interns):
    nesting = groups.nest(interns, parent=engineering, source="ldap:corp", by=BY)
    page = screen.get("authz_group", "change", engineering.pk).content.decode()
    assert "ldap:corp" in page
    answer = screen.send("authz_group", "change", engineering.pk, **{"nested-0-DELETE": "on"})
    assert "given by ldap:corp, and is removed there" in answer.content.decode()
    assert type(nesting).objects.filter(pk=nesting.pk).exists()
