"""What is read from a real OpenLDAP, and what becomes of it."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from authz.changes import runs, sources
from authz.directory.ldap.cursors import OVERLAP
from authz.directory.ldap.reading import read_directory
from authz.directory.run import work
from authz.formats.sources import LdapSettings
from authz.models import Identity, Membership, Nesting, Run, Source, User
from tests.directory import cast
from tests.directory.cast import BY, somebody
from tests.directory.ldap.steps import synced
from tests.peers.slapd import PEOPLE, READER_PASSWORD, dn_of, group_dn, inet, names

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.peer("OpenLDAP")]

IN_STEP = {
    ("alice", "interns", "ldap:corp"),
    ("bob", "sales", "ldap:corp"),
}


def corp(slapd, **more: Any) -> Source:
    return sources.add(name="corp", kind="ldap", settings=slapd.settings | more, secret=READER_PASSWORD, by=BY)


def test_people_and_groups_are_mirrored(slapd):
    run = synced(corp(slapd))
    assert ("done", []) == (run.state, run.problems)
    everybody = set(User.objects.values_list("email", "name", "source"))
    assert {(f"{n}@example.com", n.title(), "ldap:corp") for n in ("alice", "bob", "carol", "mallory")} == everybody
    assert IN_STEP == cast.memberships()
    assert {("interns", "engineering")} == set(Nesting.objects.values_list("child__name", "parent__name"))


def test_a_second_run_finds_nothing_to_do(slapd):
    source = corp(slapd)
    synced(source)
    assert {} == synced(source).preview["counts"]
    assert {} == synced(source, Run.CHANGES).preview["counts"]


def test_what_changed_is_read_alone_and_what_is_gone_by_the_next_full_run(slapd):
    source = corp(slapd)
    synced(source)
    slapd.change(dn_of("alice"), cn="Alice the elder", title="Engineer")
    slapd.change(group_dn("sales"), member=[dn_of("bob"), dn_of("mallory")])
    slapd.delete(dn_of("carol"))
    source.refresh_from_db()
    assert source.cursor.startswith("time/")
    synced(source, Run.CHANGES)
    assert "Alice the elder" == somebody("alice").name
    assert IN_STEP | {("mallory", "sales", "ldap:corp")} == cast.memberships()
    assert somebody("carol").is_active
    synced(source)
    assert not somebody("carol").is_active


def test_renaming_and_moving_is_neither_leaving_nor_joining(slapd):
    source = corp(slapd)
    synced(source)
    before = somebody("alice").pk
    slapd.rename(dn_of("alice"), "uid=asmith")
    slapd.change(f"uid=asmith,{PEOPLE}", mail="asmith@example.com")
    slapd.rename(group_dn("interns"), "cn=trainees")
    run = synced(source)
    assert {"people_changed": 1, "groups_renamed": 1} == run.preview["counts"]
    assert before == somebody("asmith").pk
    assert {("asmith", "trainees", "ldap:corp"), ("bob", "sales", "ldap:corp")} == cast.memberships()


def test_more_people_than_fit_on_a_page_are_all_read(slapd):
    slapd.load(inet(f"p{number:04d}") for number in range(1200))
    source = corp(slapd, page=500)
    assert 1204 == synced(source).preview["counts"]["people_created"]


def test_a_group_of_ten_thousand_is_read_whole(slapd):
    everybody = [f"p{number:05d}" for number in range(10_000)]
    slapd.fill_quickly([*map(inet, everybody), names("everyone", *map(dn_of, everybody))])
    source = corp(slapd)
    assert "done" == synced(source).state
    assert 10_000 == Membership.objects.filter(group__name="everyone").count()


def aged(source: Source) -> None:
    """Read only what changes from now on: what was read twice to be sure is not read a third time."""
    time.sleep(1.1)  # the server's times are whole seconds, and what was done until now was done in one that is over
    later = datetime.now(UTC) + OVERLAP
    Source.objects.filter(pk=source.pk).update(cursor=f"time/{later:%Y%m%d%H%M%SZ}")


def test_a_folder_that_is_renamed_leaves_its_people_in_their_groups(slapd):
    """Nothing below it is told as changed, and a group that changes then names people whom nobody knows."""
    folder = [("dn", f"ou=east,{PEOPLE}"), ("objectClass", "organizationalUnit"), ("ou", "east")]
    entries = [[("dn", f"uid=e{n},ou=east,{PEOPLE}"), *inet(f"e{n}")[1:]] for n in range(4)]
    slapd.load([folder, *entries, names("team", *(f"uid=e{n},ou=east,{PEOPLE}" for n in range(4)))])
    source = corp(slapd)
    synced(source)
    aged(source)
    slapd.rename(f"ou=east,{PEOPLE}", "ou=west")
    slapd.change(group_dn("team"), member=[f"uid=e{n},ou=west,{PEOPLE}" for n in range(4)])
    synced(source, Run.CHANGES)
    assert IN_STEP | {(f"e{n}", "team", "ldap:corp") for n in range(4)} == cast.memberships()


def test_a_filter_without_parentheses_works_for_what_changed_as_well(slapd):
    source = corp(slapd, people_filter="objectClass=inetOrgPerson", groups_filter="objectClass=groupOfNames")
    assert ["done", "done"] == [synced(source, mode).state for mode in (Run.FULL, Run.CHANGES)]


def test_without_a_folder_of_groups_nothing_is_said_of_groups(slapd):
    source = corp(slapd)
    synced(source)
    source = sources.edit(source, settings=source.settings | {"groups_base": ""}, by=BY)
    observed = read_directory(source, LdapSettings(**source.settings), since="", watch=lambda *_: None)
    assert (4, {}) == (len(observed.people), observed.groups)


@pytest.mark.parametrize("mode", [Run.FULL, Run.CHANGES])
def test_of_two_entries_with_one_id_neither_is_taken_for_the_other(slapd, mode):
    """Whoever may write their own id would become whom they like."""
    for number, name in enumerate(("alice", "bob", "carol", "mallory")):
        slapd.change(dn_of(name), employeeNumber=str(number))
    source = corp(slapd, id_attribute="employeeNumber", groups_base="")
    synced(source)
    alice = somebody("alice").pk
    aged(source)
    slapd.change(dn_of("mallory"), employeeNumber="0")
    run = synced(source, mode)
    assert "another entry has the same employeeNumber; neither of them is taken" == run.problems[0][1]
    assert dn_of("mallory") in {subject for subject, _ in run.problems}
    assert (alice, "Alice", True) == (somebody("alice").pk, somebody("alice").name, somebody("alice").is_active)


def test_two_new_entries_with_one_id_are_told_and_neither_is_new(slapd):
    for name, number in (("alice", "7"), ("bob", "8"), ("carol", "7"), ("mallory", "7")):
        slapd.change(dn_of(name), employeeNumber=number)
    run = synced(corp(slapd, id_attribute="employeeNumber", groups_base=""))
    assert {dn_of(name) for name in ("alice", "carol", "mallory")} == {subject for subject, _ in run.problems}
    assert ["bob@example.com"] == list(User.objects.values_list("email", flat=True))


@pytest.mark.parametrize("number", [None, "7" * 300])
def test_an_entry_that_lost_its_id_leaves_somebody_as_they_are(slapd, number):
    for each, name in enumerate(("alice", "bob", "carol", "mallory")):
        slapd.change(dn_of(name), employeeNumber=str(each))
    source = corp(slapd, id_attribute="employeeNumber", groups_base="")
    synced(source)
    slapd.change(dn_of("alice"), employeeNumber=number, mail="other@example.com")
    slapd.delete(dn_of("carol"))
    run = synced(source)
    assert [dn_of("alice")] == [subject for subject, _ in run.problems]
    assert (True, False) == (somebody("alice").is_active, somebody("carol").is_active)


def test_a_circle_of_groups_is_taken_as_it_is(slapd):
    slapd.load([names("a", group_dn("b")), names("b", group_dn("a"), dn_of("mallory"))])
    source = corp(slapd)
    assert "done" == synced(source).state
    nested = set(Nesting.objects.values_list("child__name", "parent__name"))
    assert {("a", "b"), ("b", "a")} < nested


@pytest.mark.parametrize(
    ("settings", "attributes", "active"),
    [
        ({"disabled_attribute": "employeeType"}, {"employeeType": "TRUE"}, False),
        ({"disabled_attribute": "employeeType"}, {"employeeType": "true"}, False),
        ({"disabled_attribute": "employeeType"}, {"employeeType": "FALSE"}, True),
        ({"disabled_attribute": "employeeType", "disabled_values": ["*"]}, {"employeeType": "x"}, False),
        ({"disabled_attribute": "employeeType", "disabled_values": ["*"]}, {}, True),
        ({}, {"employeeType": "TRUE"}, True),
    ],
)
def test_a_disabled_account_is_suspended(slapd, settings, attributes, active):
    source = corp(slapd, **settings)
    synced(source)
    if attributes:
        slapd.change(dn_of("mallory"), **attributes)
    synced(source, Run.CHANGES)
    assert active == somebody("mallory").is_active


def test_values_that_are_no_text_are_told_and_the_others_are_read(slapd):
    slapd.change(dn_of("mallory"), audio=b"\xff\xfe")  # the one attribute of theirs whose values slapd does not look at
    run = synced(corp(slapd, name_attribute="audio", kept_attributes=["audio"]))
    assert "done" == run.state
    assert {""} == set(User.objects.values_list("name", flat=True))
    assert ["mallory@example.com"] == [subject for subject, _ in run.problems]
    assert {} == Identity.objects.get(person=somebody("mallory")).attributes


def test_two_entries_with_one_e_mail_are_told_and_neither_is_taken(slapd):
    slapd.change(dn_of("mallory"), mail="carol@example.com")
    run = synced(corp(slapd))
    assert {"alice@example.com", "bob@example.com"} == set(User.objects.values_list("email", flat=True))
    assert [["carol@example.com", "several people of the directory have this e-mail; none of them is taken"]] == (
        run.problems
    )


def test_a_folder_that_was_deleted_waits_for_approval_and_nobody_is_gone(slapd):
    source = corp(slapd, free_number=1, most_share=20)
    synced(source)
    for name in ("alice", "bob", "carol"):
        slapd.delete(dn_of(name))
    run = synced(source)
    assert "waiting" == run.state
    assert ["3 of 4 people would be suspended", "2 of 2 memberships would be removed"] == run.reasons
    assert ["alice@example.com: the directory does not have them any more"] == run.preview["people"]["lost"][:1]
    assert IN_STEP == cast.memberships()
    runs.approve(run, by=BY)
    slapd.delete(dn_of("mallory"))
    work()
    run.refresh_from_db()
    assert "failed" == run.state
    assert somebody("alice").is_active


def test_what_was_approved_is_done_and_nothing_graver(slapd):
    source = corp(slapd, free_number=1, most_share=20)
    synced(source)
    slapd.delete(dn_of("alice"))
    slapd.delete(dn_of("bob"))
    run = synced(source)
    runs.approve(run, by=BY)
    slapd.delete(dn_of("carol"))
    work()
    run.refresh_from_db()
    assert ("waiting", True) == (run.state, somebody("alice").is_active)
    runs.approve(run, by=BY)
    work()
    assert ["mallory@example.com"] == list(User.objects.filter(is_active=True).values_list("email", flat=True))


def test_a_preview_changes_nothing(slapd):
    source = corp(slapd)
    run = synced(source, Run.PREVIEW)
    assert (0, "done") == (User.objects.count(), run.state)
    assert {"people_created": 4, "groups_created": 3, "nestings_added": 1, "memberships_given": 2} == {
        name: run.preview["counts"][name] for name in run.preview["counts"]
    }


def test_leavers_are_suspended_while_something_else_waits_and_count_towards_the_brake(slapd):
    source = corp(slapd, free_number=2, most_share=0, most_changed_share=0)
    synced(source)
    for name in ("alice", "bob", "carol", "mallory"):
        slapd.change(dn_of(name), cn=f"{name} by another name")
    slapd.delete(dn_of("alice"))
    assert "waiting" == synced(source).state
    assert (False, "Bob") == (somebody("alice").is_active, somebody("bob").name)
    for name in ("bob", "carol"):
        slapd.delete(dn_of(name))
    assert any("2 of 3 people would be suspended, and 1 were within" in each for each in synced(source).reasons)
    assert somebody("bob").is_active
