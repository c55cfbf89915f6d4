"""Who was deleted, and is brought by a directory again: suspended if they were suspended by hand."""

import pytest

from audit.models import Entry
from authz.changes import people
from authz.directory.taken import take
from authz.models import Source, Tombstone, User
from tests.directory.cast import BY, person, read, somebody, source

pytestmark = pytest.mark.django_db(transaction=True)


def told(whom, *told, **more):
    """Take a part of what a directory says."""
    return take(whom, read(*told, complete=False, **more), by=BY)


RETURNS = {
    "by the same id": {},
    "by another id": {"key": "another"},
    "by another e-mail": {"email": "alice.smith@example.com"},
    "disabled there meanwhile": {"active": False},
}


@pytest.mark.parametrize("seen", RETURNS.values(), ids=RETURNS)
def test_who_was_deleted_while_suspended_comes_back_suspended(seen):
    """And stays so whatever the directory says, until an administrator restores them."""
    corp = source()
    told(corp, person("alice"))
    people.suspend(somebody("alice"), by=BY, reason="an investigation")
    people.remove(somebody("alice"), by=BY, reason="tidying up")
    told(corp, person("alice", **seen))
    back = User.objects.get(source="ldap:corp")
    assert not back.is_active
    said = Entry.objects.filter(kind="person.suspended").latest("number").detail
    assert "they were suspended when tests deleted them: tidying up" in said
    told(corp, person("alice", **seen) if seen.get("active", True) else person("alice"))
    told(corp, person("alice", **seen | {"active": False}))
    told(corp, person("alice", **seen | {"active": True}))
    assert not User.objects.get(pk=back.pk).is_active
    assert people.restore(back, by=BY).is_active
    assert not Tombstone.objects.exists()


def test_who_was_deleted_while_active_comes_back_active():
    """As the question before that says."""
    corp = source()
    told(corp, person("alice"))
    people.remove(somebody("alice"), by=BY)
    told(corp, person("alice"))
    assert somebody("alice").is_active


def test_who_was_deleted_while_the_directory_had_disabled_them_comes_back_as_it_says():
    corp = source()
    told(corp, person("alice"))
    told(corp, person("alice", active=False))
    people.remove(somebody("alice"), by=BY)
    told(corp, person("alice", active=False))
    assert not somebody("alice").is_active
    told(corp, person("alice"))
    assert somebody("alice").is_active


def local_alice():
    people.create(email="alice@example.com", by=BY)


HAD_THEM = {
    "nobody": local_alice,
    "another": lambda: told(source(name="other"), person("alice")),
    "another, gone from it": lambda: (
        told(other := source(name="other"), person("alice")), told(other, gone_people=frozenset({"alice"}))
    ),
    "it, and it was added again": lambda: told(source(), person("alice")),
}  # fmt: skip


@pytest.mark.parametrize("had_them", HAD_THEM.values(), ids=HAD_THEM)
def test_who_was_deleted_while_suspended_comes_suspended_from_any_directory(had_them):
    """By their e-mail, whichever directory had them; and stays so until an administrator restores them."""
    had_them()
    people.suspend(somebody("alice"), by=BY, reason="an investigation")
    people.remove(somebody("alice"), by=BY, reason="tidying up")
    Source.objects.filter(name="corp").delete()
    corp = source()
    told(corp, person("alice", key="guid-1", email="Alice@Example.com"), person("bob"))
    assert (False, True) == (somebody("alice").is_active, somebody("bob").is_active)
    said = Entry.objects.filter(kind="person.suspended").latest("number").detail
    assert "they were suspended when tests deleted them: tidying up" in said
    told(corp, person("alice", key="guid-1", active=False))
    told(corp, person("alice", key="guid-1"))
    assert not somebody("alice").is_active
    assert not Tombstone.objects.filter(source=None).exists()
    assert people.restore(somebody("alice"), by=BY).is_active


def test_a_mark_of_a_directory_goes_with_it_and_the_one_by_e_mail_stays():
    corp = source()
    told(corp, person("alice"))
    people.suspend(somebody("alice"), by=BY)
    people.remove(somebody("alice"), by=BY)
    assert ["None", "ldap:corp"] == sorted(str(each.source) for each in Tombstone.objects.all())
    corp.delete()
    assert ["None"] == [str(each.source) for each in Tombstone.objects.all()]


def test_an_e_mail_leaves_one_mark_however_often_it_is_deleted():
    for _ in range(3):
        local_alice()
        people.suspend(somebody("alice"), by=BY)
        people.remove(somebody("alice"), by=BY)
    assert 1 == Tombstone.objects.count()


def test_whom_an_administrator_creates_anew_is_marked_no_more():
    local_alice()
    people.suspend(somebody("alice"), by=BY)
    people.remove(somebody("alice"), by=BY)
    local_alice()
    people.remove(somebody("alice"), by=BY)
    told(source(), person("alice"))
    assert somebody("alice").is_active
