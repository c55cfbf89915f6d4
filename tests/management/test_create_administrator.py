"""Somebody is made an administrator, and of nothing else; what they gained is said."""

import io
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from audit.context import Actor
from audit.models import Entry
from authz.changes import grants, groups, memberships, people, servers
from authz.changes.administrators import GROUP, groups_of_administrators
from authz.decisions.search import what_can
from authz.lookups.build import build
from authz.models import Grant, Group, Membership, Server, User

pytestmark = pytest.mark.django_db
BY = Actor.command("tests")


@pytest.fixture(autouse=True)
def _password(monkeypatch):
    monkeypatch.setenv("NEW_PASSWORD", "correct horse battery")


def run(email="carol@example.com", **options):
    """Return what the command says."""
    said = io.StringIO()
    call_command("create_administrator", email, stdout=said, **options)
    return said.getvalue()


def reaches(email):
    """Return the names of what somebody can reach."""
    return {each.server.name for each in what_can(build(), User.objects.get(email=email).pk, at=0.0)}


def administering(name, *, source="local", **limits):
    """Make a group that administers the portal, perhaps with limits."""
    group = groups.create(name=name, source=source, by=BY)
    grants.give(group=group, server=Server.objects.get(kind="portal"), action="administer", by=BY, **limits)
    return group


def opens_crm(group):
    """Let a group use another server."""
    grants.give(group=group, server=servers.create(name="crm", kind="web", by=BY), by=BY)


def below(group, *names):
    """Nest a group in the last of several, each nested in the one before; return the first."""
    above = [groups.create(name=name, by=BY) for name in names]
    for child, parent in zip([group, *reversed(above)], reversed(above), strict=False):
        groups.nest(child, parent=parent, by=BY)
    return above[0]


def test_the_first_gets_a_group_of_its_own_and_what_they_gained_is_said():
    expected = (
        f"carol@example.com may administer the portal.\nThrough the group {GROUP}:\n  use and administer portal\n"
    )
    assert expected == run()
    assert {"portal"} == reaches("carol@example.com")


def test_the_next_one_joins_the_first_and_nobody_gains_a_second_time():
    run()
    run("dave@example.com")
    assert "They could before, and gained nothing." in run("dave@example.com")
    assert 1 == Grant.objects.count()
    assert [GROUP, GROUP] == [each.group.name for each in Membership.objects.all()]


def test_the_group_admin_of_an_application_administers_nothing_of_ours():
    """Atlas UI 3 asks for `admin`: whoever is in it administers the chat UI, and not who may do what."""
    mallory = people.create(email="mallory@example.com", by=BY)
    memberships.give(person=mallory, group=groups.create(name="admin", by=BY), by=BY)
    run()
    run("second@example.com")
    assert set() == reaches("mallory@example.com")
    assert {"portal"} == reaches("second@example.com")


@pytest.mark.parametrize("taken", [[GROUP], [GROUP.upper()], [GROUP, f"{GROUP}-2"]])
def test_a_name_that_is_taken_is_left_to_whose_it_is(taken):
    for name in taken:
        groups.create(name=name, by=BY)
    run()
    assert f"{GROUP}-{len(taken) + 1}" == Grant.objects.values_list("group__name", flat=True).get()


LATER = datetime(2099, 1, 1, tzinfo=UTC)
UNLIKE = {
    "its grant ends": (
        lambda: administering("a", until=LATER),
        "not from anywhere and for good",
    ),
    "its grant is limited to networks": (lambda: administering("a", networks=["10.0.0.0/8"]), "not from anywhere"),
    "it has another grant": (lambda: opens_crm(administering("a")), "a may use crm"),
    "a group far above it has one": (lambda: opens_crm(below(administering("a"), "top", "middle")), "top may use crm"),
    "it is a directory's": (lambda: administering("a", source="ldap:corp"), "it belongs to ldap:corp"),
    "it opens nothing": (lambda: groups.create(name="a", by=BY), "it opens nothing"),
    "it only uses the portal": (
        lambda: grants.give(
            group=groups.create(name="a", by=BY), server=Server.objects.get(kind="portal"), action="use", by=BY
        ),
        "a may use portal",
    ),
}


@pytest.mark.parametrize(("make", "why"), UNLIKE.values(), ids=UNLIKE)
def test_a_group_is_not_taken_for_administrators_if(make, why):
    make()
    assert [] == groups_of_administrators()
    with pytest.raises(CommandError, match=why):
        run(group="a")
    assert not User.objects.exists()
    run()
    assert not Membership.objects.filter(group__name="a").exists()


def test_the_group_of_everybody_is_not_taken_for_administrators():
    everybody = Group.objects.get(everyone=True)
    grants.give(group=everybody, server=Server.objects.get(kind="portal"), action="administer", by=BY)
    with pytest.raises(CommandError, match="everybody is in it"):
        run(group=everybody.name)


def test_a_group_below_one_that_opens_the_portal_alone_is_one_too():
    group = administering("a")
    grants.give(group=below(group, "b"), server=Server.objects.get(kind="portal"), action="administer", by=BY)
    assert ["a", "b"] == [each.name for each in groups_of_administrators()]


def test_of_several_one_is_named_or_nothing_is_done():
    administering("a")
    administering("b")
    with pytest.raises(CommandError, match=r"several groups .*: a, b; name one, with --group"):
        run()
    assert not User.objects.exists()
    assert not Entry.objects.filter(kind="person.created").exists()
    run(group="B")
    assert ["b"] == [each.group.name for each in Membership.objects.all()]


class Terminal(io.StringIO):
    """Somebody at a terminal, who types this."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("typed", "group"), [("1", "a"), ("2", "b"), ("3", None), ("0", None), ("", None), ("x", None)]
)
def test_at_a_terminal_one_is_asked_for(monkeypatch, typed, group):
    administering("a")
    administering("b")
    monkeypatch.setattr("sys.stdin", Terminal(f"{typed}\n"))
    if group is None:
        with pytest.raises(CommandError, match="nothing was changed"):
            run()
    else:
        assert f"Through the group {group}:" in run()
    assert ([group] if group else []) == [each.group.name for each in Membership.objects.all()]


def test_a_group_that_is_not_there_is_named():
    with pytest.raises(CommandError, match="no group is called 'nobody'"):
        run(group="nobody")
    assert not Group.objects.filter(name="nobody").exists()


@pytest.mark.parametrize(("human", "why"), [(True, "is suspended"), (False, "is a service account")])
def test_who_could_not_administer_all_the_same_is_refused(human, why):
    """It would look as if the way back were open."""
    person = people.create(email="eve@example.com", is_human=human, by=BY)
    if human:
        people.suspend(person, by=BY)
    with pytest.raises(CommandError, match=f"eve@example.com {why}"):
        run("eve@example.com")
    assert not Membership.objects.exists()
