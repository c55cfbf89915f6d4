"""Entries that are not as they should be: told, left out or left as they were, and no hindrance to the others."""

from typing import Any

import pytest

from authz.changes import sources
from authz.models import ForeignGroup, Identity, Nesting, Run, Source, User
from tests.directory import cast
from tests.directory.cast import BY, somebody
from tests.directory.ldap.steps import synced
from tests.directory.ldap.test_active_directory import PRESET
from tests.peers.active_directory import DOMAIN, GROUPS, PEOPLE, READER_PASSWORD

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.peer("python-ldap")]

IN_STEP = {("alice", "interns", "ldap:corp"), ("bob", "sales", "ldap:corp")}
NO_TEXT = [b"\xff\xfe", b"a\0b", b"\xed\xb3\xbf"]
"""Not UTF-8, a NUL, and a surrogate that Python would once have made of a byte."""


def corp(ad, **more: Any) -> Source:
    return sources.add(name="corp", kind="ldap", settings=PRESET | ad.settings | more, secret=READER_PASSWORD, by=BY)


def done(source: Source, mode: str = Run.FULL) -> Run:
    """Bring a directory in step, which nothing hinders."""
    run = synced(source, mode)
    assert "done" == run.state, run.failure
    return run


@pytest.mark.parametrize("value", NO_TEXT)
@pytest.mark.parametrize("mode", [Run.FULL, Run.CHANGES])
def test_values_that_no_database_holds_never_reach_a_row(active_directory, value, mode):
    source = corp(active_directory, kept_attributes=["department"])
    if mode == Run.CHANGES:
        done(source)
    active_directory.person("nameless", displayName=value, department=[value, b"Research"])
    active_directory.person("unreachable", mail=value)
    active_directory.group("x", active_directory.objects[f"cn=bob,{PEOPLE}".lower()], cn=value)
    run = done(source, mode)
    assert [
        ("CN=Unreachable," + PEOPLE, "its mail is no text"), ("CN=x," + GROUPS, "its cn is no text"),
        ("nameless@example.com", "its displayName is no text"),
    ] == sorted((subject, why.partition(" (")[0]) for subject, why in run.problems if "no text" in why)  # fmt: skip
    assert ("", {"department": ["Research"]}) == (
        somebody("nameless").name, Identity.objects.get(person=somebody("nameless")).attributes,
    )  # fmt: skip
    assert 5 == User.objects.count()
    assert IN_STEP == cast.memberships()


@pytest.mark.parametrize("guid", [None, "the same"])
def test_a_group_that_cannot_be_known_by_its_id_stays_as_it_was(active_directory, guid):
    source = corp(active_directory)
    done(source)
    sales, interns = (active_directory.objects[f"cn={name},{GROUPS}".lower()] for name in ("sales", "interns"))
    same = interns.attributes["objectGUID"]
    active_directory.change(sales, members=[], objectGUID=same if guid else None)
    run = done(source)
    assert {sales.dn} <= {subject for subject, _ in run.problems}
    assert 3 == ForeignGroup.objects.filter(gone_at=None).count() + bool(guid)
    # Of two with one id neither is believed; the one whose id is gone is another's now, and nobody else's.
    assert ("alice", "interns", "ldap:corp") in cast.memberships()
    assert bool(guid) == (("bob", "sales", "ldap:corp") not in cast.memberships())


def test_somebody_whose_name_is_too_long_to_be_kept_is_who_they_are(active_directory):
    source = corp(active_directory)
    done(source)
    before = somebody("alice").pk
    alice, bob, interns = (
        active_directory.objects[dn.lower()]
        for dn in (f"CN=Alice,{PEOPLE}", f"CN=Bob,{PEOPLE}", f"CN=interns,{GROUPS}")
    )
    active_directory.move(alice, f"CN=Alice,{'OU=a long way down,' * 60}{DOMAIN}")
    for mode in (Run.CHANGES, Run.FULL):
        done(source, mode)
        assert ("", True) == (Identity.objects.get(person=before).locator, somebody("alice").is_active)
    active_directory.change(interns, members=[alice, bob])
    done(source, Run.CHANGES)
    assert IN_STEP | {("bob", "interns", "ldap:corp")} == cast.memberships()


@pytest.mark.parametrize("now", ["a person", "a group"])
def test_who_has_the_old_name_of_another_is_not_taken_for_them(active_directory, now):
    """Below a folder that was renamed nothing is told as changed: what is known of it is out of date."""
    folder = active_directory.add(f"OU=Old,{DOMAIN}", "organizationalUnit")
    active_directory.person("dora", dn=f"CN=X,OU=Old,{DOMAIN}")
    source = corp(active_directory)
    done(source)
    active_directory.move(folder, f"OU=Elsewhere,{DOMAIN}")
    if now == "a person":
        active_directory.person("carl", dn=f"cn=x,ou=old,{DOMAIN}")
    else:
        inner = active_directory.group("inner", active_directory.objects[f"cn=bob,{PEOPLE}".lower()])
        active_directory.move(inner, f"cn=x,ou=old,{DOMAIN}")
    active_directory.group("secret", f"CN=X,OU=Old,{DOMAIN}")
    for mode in (Run.CHANGES, Run.FULL):
        done(source, mode)
        inside = {person for person, group, _ in cast.memberships() if group == "secret"}
        assert ({"carl"} if now == "a person" else set()) == inside
        assert (now == "a group") == Nesting.objects.filter(parent__name="secret", child__name="inner").exists()


def test_an_entry_without_an_id_keeps_nobody_but_its_namesakes(active_directory):
    """Also one whose name begins with a number sign: whoever is gone is gone."""
    source = corp(active_directory)
    done(source)
    for name, folder in (("bob", PEOPLE), ("sales", GROUPS)):
        active_directory.delete(active_directory.objects[f"cn={name},{folder}".lower()])
    for shared, folder in ((active_directory.person("shared"), PEOPLE), (active_directory.group("shared"), GROUPS)):
        active_directory.move(shared, rf"CN=\#Shared,{folder}")
        active_directory.change(shared, objectGUID=None)
    run = done(source)
    assert 2 == sum("Shared" in subject for subject, _ in run.problems)
    assert (False, True) == (somebody("bob").is_active, somebody("alice").is_active)
    assert {"sales"} == set(ForeignGroup.objects.exclude(gone_at=None).values_list("name", flat=True))
