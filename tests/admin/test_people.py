"""People are added, edited, suspended and removed, and every refusal stands beside its field."""

import pytest

from authz.changes import people
from authz.changes.administrators import make_administrator
from authz.directory.taken import take
from authz.models import Membership, Session, User
from tests.admin.cast import BY
from tests.admin.screen import errors, kinds_since, revision, row, told
from tests.directory import cast as directory


def test_a_person_is_added_with_a_password_and_a_group(screen, engineering):
    before, entries = revision(), told()

    answer = screen.send(
        "authz_user",
        "add",
        email=" Dave@Example.COM ",
        name="Dave",
        password="a very long sentence",
        **row("memberships", 0, group=engineering.pk, reason="joined"),
    )

    dave = User.objects.get(email="dave@example.com")
    assert 302 == answer.status_code
    assert dave.check_password("a very long sentence")
    assert engineering == Membership.objects.get(person=dave).group
    assert (before + 1, ["person.created", "membership.given"]) == (revision(), kinds_since(entries))


def test_a_service_account_is_added_without_a_password(screen):
    screen.send("authz_user", "add", email="chat@example.com", kind="service")

    service = User.objects.get(email="chat@example.com")
    assert (False, False) == (service.is_human, service.has_usable_password())


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        ({"email": ""}, "email", "required"),
        ({"email": "ALICE@example.com"}, "email", "already exists"),
        ({"email": "dave@home@example.com"}, "email", "is not an e-mail address"),
        ({"email": "nobody"}, "email", "is not an e-mail address"),
        ({"email": "x@example.com", "name": "a\u202eb"}, "name", "cannot be shown"),
        ({"email": "x@example.com", "password": "short"}, "password", "too short"),
        ({"email": "example@example.com", "password": "example@example.com"}, "password", "similar"),
        (
            {"email": "x@example.com", "password": "a very long one", "kind": "service"},
            "password",
            "issue it an API key",
        ),
        ({"email": "x@example.com", "kind": "dog"}, "kind", "valid choice"),
    ],
)
def test_what_is_wrong_with_somebody_new_is_said_beside_the_field(screen, alice, sent, field, said):
    before = revision()
    found = errors(screen.send("authz_user", "add", **sent))

    assert [field] == list(found)
    assert said in found[field][0]
    assert before == revision()


def test_an_edit_to_a_taken_address_is_refused(screen, alice, bob):
    found = errors(screen.send("authz_user", "change", bob.pk, email="Alice@example.com"))

    assert ["email"] == list(found)


def test_an_edit_is_saved(screen, bob):
    assert 302 == screen.send("authz_user", "change", bob.pk, email="Robert@example.com", name="Robert").status_code

    bob.refresh_from_db()
    assert ("robert@example.com", "Robert") == (bob.email, bob.name)


def test_what_a_directory_owns_cannot_be_edited_here(screen):
    held = people.create(email="eve@example.com", name="Eve", source="ldap:corp", external_id="uid=eve", by=BY)

    screen.send("authz_user", "change", held.pk, email="other@example.com", name="Other", source="local")

    held.refresh_from_db()
    assert ("eve@example.com", "Eve", "ldap:corp") == (held.email, held.name, held.source)


def test_suspending_and_restoring_are_asked_and_say_why(screen, alice, signed_in):
    signed_in(alice)
    entries = told()
    page = f"/admin/authz/user/{alice.pk}/"

    assert b"signed out" in screen.client.get(f"{page}suspend/").content
    assert 302 == screen.client.post(f"{page}suspend/", {"_sure": "1", "reason": "on leave"}).status_code
    assert not User.objects.get(pk=alice.pk).is_active
    assert not Session.objects.filter(person=alice, ended_at=None).exists()
    assert 302 == screen.client.post(f"{page}restore/", {"_sure": "1", "reason": ""}).status_code
    assert User.objects.get(pk=alice.pk).is_active
    assert ["person.suspended", "session.ended", "person.restored"] == kinds_since(entries)


def test_only_what_makes_sense_is_offered(screen, alice, service):
    def offered(person):
        answer = screen.get("authz_user", "change", person.pk)
        return [each["title"] for each in answer.context["actions_detail"]]

    assert ["Suspend", "Set password"] == offered(alice)
    assert ["Suspend"] == offered(service)
    people.suspend(alice, by=BY)
    assert ["Restore", "Set password"] == offered(alice)


def test_the_last_administrator_cannot_be_suspended_or_removed(screen, carol):
    before = revision()
    for page in ("suspend", "delete"):
        answer = screen.client.post(f"/admin/authz/user/{carol.pk}/{page}/", {"_sure": "1", "reason": ""})
        assert 200 == answer.status_code
        assert b"nobody could administer the portal any more" in answer.content

    assert before == revision()


def test_several_are_suspended_in_one_change_or_not_at_all(screen, carol, alice, bob):
    before = revision()

    assert b"nobody could administer" in screen.act("authz_user", "suspend_selected", alice, carol).content
    assert before == revision()
    assert 302 == screen.act("authz_user", "suspend_selected", alice, bob, reason="leaving").status_code
    assert before + 1 == revision()
    assert 302 == screen.act("authz_user", "restore_selected", alice, bob).status_code
    assert 3 == User.objects.filter(is_active=True).count()
    assert 302 == screen.act("authz_user", "remove_selected", alice, bob).status_code
    assert [carol] == list(User.objects.all())


def test_too_many_at_once_are_refused(screen, alice, bob, monkeypatch):
    monkeypatch.setattr("authz.admin.base.MOST_AT_ONCE", 1)
    chosen = {"action": "suspend_selected", "_selected_action": [alice.pk, bob.pk], "select_across": "0", "index": "0"}
    screen.client.post("/admin/authz/user/", chosen | {"_sure": "1"})

    assert 3 == User.objects.filter(is_active=True).count()


@pytest.mark.parametrize(
    ("password", "again", "field"),
    [("a very long sentence", "another sentence", "again"), ("short", "short", "__all__"), ("", "", "password")],
)
def test_a_password_that_will_not_do_is_refused(screen, alice, password, again, field):
    answer = screen.client.post(
        f"/admin/authz/user/{alice.pk}/password/", {"_sure": "1", "password": password, "again": again}
    )

    assert field in answer.context["form"].errors
    assert not User.objects.get(pk=alice.pk).has_usable_password()


def test_setting_a_password_ends_the_sessions_of_others_and_keeps_ones_own(screen, carol, alice, signed_in):
    elsewhere, hers = signed_in(carol), signed_in(alice)
    make_administrator(alice, by=BY)
    sent = {"_sure": "1", "password": "a very long sentence", "again": "a very long sentence"}
    for person in (alice, carol):
        assert 302 == screen.client.post(f"/admin/authz/user/{person.pk}/password/", sent).status_code

    assert User.objects.get(pk=alice.pk).check_password("a very long sentence")
    assert [200, 302, 302] == [each.get("/admin/").status_code for each in (screen.client, elsewhere, hers)]


def test_a_service_gets_no_password(screen, service):
    sent = {"_sure": "1", "password": "a very long sentence", "again": "a very long sentence"}

    assert b"issue it an API key" in screen.client.post(f"/admin/authz/user/{service.pk}/password/", sent).content


def test_the_question_says_whom_a_directory_will_bring_back(screen, bob):
    take(directory.source("scim"), directory.read(directory.person("alice"), complete=False), by=BY)
    asked = screen.get("authz_user", "delete", directory.somebody("alice").pk).content.decode()
    assert "will bring them back: alice@example.com (scim:corp)" in asked
    assert "will bring them back" not in screen.get("authz_user", "delete", bob.pk).content.decode()


def test_the_question_says_who_would_come_back_suspended_from_any_directory(screen, bob):
    said = "will bring them suspended: bob@example.com."
    assert said not in screen.get("authz_user", "delete", bob.pk).content.decode()
    people.suspend(bob, by=BY)
    assert said in screen.get("authz_user", "delete", bob.pk).content.decode()
