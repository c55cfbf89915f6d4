"""What is done because of what a directory said: a table about the people we know."""

import pytest
from django.utils import timezone

from authz.changes import grants, groups, memberships, people, runs, servers, sources
from authz.changes.administrators import make_administrator
from authz.directory.taken import take
from authz.errors import Conflict, ImplausiblePlan
from authz.lookups.current import CURRENT
from authz.models import ForeignGroup, Group, Identity, Membership, Nesting, Run, Session, User
from tests.directory import cast
from tests.directory.cast import BY, group, person, read, somebody, source

pytestmark = pytest.mark.django_db(transaction=True)


def told(whom, *told, **more):
    """Take a part of what a directory says."""
    return take(whom, read(*told, complete=False, **more), by=BY)


def test_whoever_is_new_becomes_a_person_and_is_in_what_they_are_in_there():
    corp = source()
    taken = told(corp, person("alice"), group("engineering", "alice"))
    assert {("alice", "engineering", "ldap:corp")} == cast.memberships()
    assert ("ldap:corp", "alice") == (somebody("alice").source, somebody("alice").external_id)
    assert somebody("alice") == taken.people["alice"]
    assert not somebody("alice").has_usable_password()


def test_the_same_told_twice_changes_nothing():
    corp = source()
    told(corp, person("alice"), person("bob"), group("engineering", "alice", "bob"))
    revision = CURRENT.look().revision
    told(corp, person("alice"), person("bob"), group("engineering", "alice", "bob"))
    assert revision == CURRENT.look().revision


def test_a_rename_is_not_a_leaver_and_a_joiner():
    corp = source()
    told(corp, person("alice", key="guid-1"), group("engineering", "guid-1", key="guid-9"))
    before = somebody("alice").pk, Group.objects.get(name="engineering").pk
    married = person("alice", key="guid-1", email="alice.smith@example.com")
    told(corp, married, group("platform", "guid-1", key="guid-9"))
    assert before == (somebody("alice.smith").pk, Group.objects.get(name="platform").pk)
    assert {("alice.smith", "platform", "ldap:corp")} == cast.memberships()


def test_somebody_disabled_is_suspended_and_restored_when_they_are_back():
    corp = source()
    told(corp, person("alice"))
    told(corp, person("alice", active=False))
    assert not somebody("alice").is_active
    told(corp, person("alice"))
    assert somebody("alice").is_active


def test_whom_an_administrator_suspended_no_directory_restores():
    corp = source()
    told(corp, person("alice"))
    people.suspend(somebody("alice"), by=BY)
    told(corp, person("alice", name="Alice A."))
    told(corp, person("alice", active=False))
    told(corp, person("alice"))
    assert not somebody("alice").is_active


def test_whoever_comes_disabled_is_never_let_in():
    told(source(), person("alice", active=False))
    assert not somebody("alice").is_active


def test_somebody_gone_is_suspended_and_keeps_what_others_gave():
    corp = source()
    told(corp, person("alice"), group("engineering", "alice"))
    sales = groups.create(name="sales", by=BY)
    memberships.give(person=somebody("alice"), group=sales, by=BY)
    told(corp, gone_people=frozenset({"alice"}))
    assert not somebody("alice").is_active
    assert {("alice", "sales", "local")} == cast.memberships()


def test_somebody_who_comes_back_is_who_they_were():
    corp = source()
    told(corp, person("alice"), group("engineering", "alice"))
    number = somebody("alice").pk
    told(corp, gone_people=frozenset({"alice"}))
    told(corp, person("alice"), group("engineering", "alice"))
    assert (number, True) == (somebody("alice").pk, somebody("alice").is_active)
    assert {("alice", "engineering", "ldap:corp")} == cast.memberships()


def test_a_recycled_e_mail_is_not_the_person_who_had_it():
    corp = source()
    told(corp, person("alice", key="guid-1"))
    told(corp, gone_people=frozenset({"guid-1"}))
    taken = told(corp, person("alice", key="guid-2"))
    assert {} == taken.people
    assert "gone from it" in taken.problems[0].why
    assert not somebody("alice").is_active


@pytest.mark.parametrize(
    ("joins", "owner", "in_groups"),
    [
        ("never", "local", set()),
        ("link", "local", {("alice", "engineering", "ldap:corp")}),
        ("adopt", "ldap:corp", {("alice", "engineering", "ldap:corp")}),
    ],
)
def test_a_directory_joins_people_only_as_it_is_told_to(joins, owner, in_groups):
    people.create(email="alice@example.com", name="Alice the first", by=BY)
    corp = source(joins=joins)
    taken = told(corp, person("alice", name="Alice of corp"), group("engineering", "alice"))
    assert (owner, in_groups) == (somebody("alice").source, cast.memberships())
    assert ("Alice of corp" if joins == "adopt" else "Alice the first") == somebody("alice").name
    assert (joins == "never") == bool(taken.problems)


def test_of_two_directories_only_the_owner_suspends():
    corp, okta = source(), source("oidc", "okta", joins="link")
    told(corp, person("alice"))
    told(okta, person("alice", key="sub-1"))
    told(okta, person("alice", key="sub-1", active=False))
    assert somebody("alice").is_active
    told(corp, person("alice", active=False))
    assert not somebody("alice").is_active


def test_no_directory_joins_a_service_account():
    people.create(email="alice@example.com", is_human=False, by=BY)
    assert "service account" in told(source(joins="adopt"), person("alice")).problems[0].why


def test_no_directory_removes_what_an_administrator_or_another_gave():
    corp, okta = source(), source("oidc", "okta", joins="link")
    told(corp, person("alice"), group("engineering", "alice"))
    engineering = Group.objects.get(name="engineering")
    memberships.give(person=somebody("alice"), group=engineering, by=BY)
    sources.add_rule(okta, group=engineering, kind="group", pattern="eng*", by=BY)
    told(okta, person("alice", key="sub-1"), group("eng-all", "sub-1"))
    given = {("alice", "engineering", by) for by in ("local", "ldap:corp", "oidc:okta")}
    assert given <= cast.memberships()
    told(corp, group("engineering"))
    told(okta, group("eng-all"))
    assert {("alice", "engineering", "local")} == cast.memberships()
    assert somebody("alice").pk in CURRENT.look().direct


@pytest.mark.parametrize(
    ("rule", "attributes", "fits"),
    [
        ({"kind": "attribute", "attribute": "department", "pattern": "Research"}, {"department": ("research",)}, True),
        ({"kind": "attribute", "attribute": "department", "pattern": "Research"}, {"department": ("Sales",)}, False),
        ({"kind": "attribute", "attribute": "Department", "pattern": "R*"}, {"department": ("x", "R&D")}, True),
        ({"kind": "attribute", "attribute": "title", "pattern": "*"}, {"department": ("R&D",)}, False),
        ({"kind": "attribute", "attribute": "title", "pattern": "[ab]"}, {"title": ("a",)}, False),
        ({"kind": "attribute", "attribute": "title", "pattern": "[ab]"}, {"title": ("[AB]",)}, True),
        ({"kind": "attribute", "attribute": "title", "pattern": "a?c"}, {"title": ("abc",)}, False),
        ({"kind": "group", "pattern": "engineering"}, {}, True),
        ({"kind": "group", "pattern": "interns"}, {}, True),
        ({"kind": "group", "pattern": "sales"}, {}, False),
    ],
)
def test_a_rule_gives_a_membership_that_says_why(rule, attributes, fits):
    corp = source(mirrors_groups=False)
    ours = groups.create(name="mcp_advanced", by=BY)
    sources.add_rule(corp, group=ours, by=BY, **rule)
    alice = person("alice", attributes=attributes)
    told(corp, alice, group("interns", "alice"), group("engineering", children=("interns",)))
    assert ({("alice", "mcp_advanced", "ldap:corp")} if fits else set()) == cast.memberships()
    if fits:
        assert "is in mcp_advanced" in Membership.objects.get().reason


def test_a_rule_that_is_taken_away_takes_back_what_it_gave():
    corp = source()
    ours = groups.create(name="mcp_advanced", by=BY)
    rule = sources.add_rule(corp, group=ours, kind="attribute", attribute="title", pattern="boss", by=BY)
    boss = person("bob", attributes={"title": ("Boss",)})
    told(corp, boss)
    sources.remove_rule(rule, by=BY)
    told(corp, boss)
    assert set() == cast.memberships()


def test_nesting_is_mirrored_and_a_circle_of_the_directory_is_taken_as_it_is():
    corp = source()
    told(
        corp,
        person("alice"),
        group("interns", "alice", children=("engineering",)),
        group("engineering", children=("interns",)),
    )
    circle = {("interns", "engineering", "ldap:corp"), ("engineering", "interns", "ldap:corp")}
    assert circle == set(Nesting.objects.values_list("child__name", "parent__name", "source"))
    told(corp, group("interns", "alice", children=()))
    assert [("interns", "engineering")] == list(Nesting.objects.values_list("child__name", "parent__name"))


def test_a_group_of_ours_is_never_taken_over_by_its_name():
    groups.create(name="Admin", by=BY)
    taken = told(source(), person("mallory"), group("admin", "mallory"))
    assert set() == cast.memberships()
    assert "is not this directory's" in taken.problems[0].why


def test_the_names_of_its_groups_may_begin_with_a_word():
    groups.create(name="admin", by=BY)
    told(source(group_prefix="corp/"), person("mallory"), group("admin", "mallory"))
    assert {("mallory", "corp/admin", "ldap:corp")} == cast.memberships()


def test_a_group_that_is_gone_goes_unless_something_else_hangs_on_it():
    corp = source()
    told(corp, person("alice"), group("engineering", "alice"), group("interns", "alice"))
    server = servers.create(name="search", by=BY)
    grants.give(group=Group.objects.get(name="engineering"), server=server, by=BY)
    told(corp, gone_groups=frozenset({"engineering", "interns"}))
    left = set(Group.objects.filter(everyone=False).values_list("name", "source"))
    assert {("engineering", "local")} == left
    assert set() == cast.memberships()
    assert 0 == ForeignGroup.objects.filter(gone_at=None).count()


@pytest.mark.parametrize("email", ["", "alice", "a@b@example.com", "alice@example.com\0", "al\udcffce@example.com"])
def test_an_e_mail_that_is_none_is_told_and_the_others_are_taken(email):
    taken = told(source(), person("alice", email=email), person("bob"))
    assert {"bob"} == set(taken.people)
    assert 1 == len(taken.problems)


def test_an_e_mail_that_turns_bad_does_not_keep_somebody_from_being_suspended():
    corp = source()
    told(corp, person("alice"))
    told(corp, person("alice", email="@", active=False))
    assert not somebody("alice").is_active


def test_of_two_with_one_e_mail_neither_is_taken():
    taken = told(source(), person("alice", key="1"), person("alice", key="2"))
    assert {} == taken.people
    assert "several people" in taken.problems[0].why


def test_a_name_that_cannot_be_shown_is_told_and_the_person_is_taken():
    taken = told(source(), person("alice", name="Al\0ice"))
    assert ({"alice"}, "") == (set(taken.people), somebody("alice").name)
    assert 1 == len(taken.problems)


def test_a_directory_that_may_not_create_people_reports_them():
    taken = told(source(creates_people=False), person("alice"))
    assert (0, 1) == (User.objects.count(), len(taken.problems))


def test_a_directory_that_is_switched_off_changes_nothing():
    corp = source()
    sources.edit(corp, enabled=False, by=BY)
    with pytest.raises(Conflict, match="switched off"):
        told(corp, person("alice"))
    assert 0 == User.objects.count()


def test_the_last_administrator_is_never_suspended_by_a_directory():
    okta = source("scim", "okta")
    told(okta, person("carol"))
    make_administrator(somebody("carol"), by=BY)
    for what in ({"told": [person("carol", active=False)]}, {"gone_people": frozenset({"carol"})}):
        with pytest.raises(ImplausiblePlan, match=r"nobody could administer.*carol@example.com"):
            told(okta, *what.pop("told", []), **what)
    assert somebody("carol").is_active
    assert [Run.WAITING] == list(Run.objects.values_list("state", flat=True))


def test_suspensions_that_come_one_by_one_are_one_plan_to_the_brake():
    okta = source("scim", "okta", free_number=3)
    names = [f"p{number}" for number in range(10)]
    told(okta, *(person(name) for name in names))
    for name in names[:3]:
        told(okta, person(name, active=False))
    with pytest.raises(ImplausiblePlan, match="1 of 7 people would be suspended, and 3 were within the last hour"):
        told(okta, person(names[3], active=False))
    assert somebody(names[3]).is_active


def test_what_was_approved_is_done_when_the_client_tries_again_and_nothing_else():
    okta = source("scim", "okta", free_number=0, most_number=0)
    told(okta, person("alice"), person("bob"))
    with pytest.raises(ImplausiblePlan):
        told(okta, person("alice", active=False))
    runs.approve(Run.objects.get(), by=BY)
    told(okta, person("alice", active=False))
    assert not somebody("alice").is_active
    with pytest.raises(ImplausiblePlan):
        told(okta, person("bob", active=False))
    assert somebody("bob").is_active


def test_whoever_is_suspended_by_a_directory_loses_their_sign_ins():
    corp = source()
    told(corp, person("alice"))
    now = timezone.now()
    Session.objects.create(person=somebody("alice"), digest="x", started_at=now, until=now, idle=1, seen_at=now)
    told(corp, person("alice", active=False))
    assert Session.objects.get().ended_at is not None


def test_one_who_cannot_be_taken_does_not_hold_up_the_others():
    corp = source()
    told(corp, person("alice", key="1"), person("bob", key="2"))
    taken = told(corp, person("bob", key="1", name="Swap"), person("alice", key="2"), person("carol", key="3"))
    assert {"1", "2", "3"} == set(taken.people)
    assert ("1", "2") == tuple(Identity.objects.order_by("external_id").values_list("external_id", flat=True)[:2])
    assert 2 == len(taken.problems)
    assert "Swap" == Identity.objects.get(external_id="1").person.name
