"""An explanation names everybody who says so: by hand, a directory, a rule of one."""

import json
import time

import pytest
from django.core.management import call_command

from authz.changes import grants, groups, memberships, servers, sources
from authz.decisions.explain import explain
from authz.decisions.search import question_of
from authz.directory.taken import take
from authz.lookups.current import CURRENT
from authz.lookups.provenance import told_with_sources
from authz.models import Group
from tests.directory.cast import BY, group, person, read, somebody, source

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def search():
    """Alice is an intern by LDAP and by hand; interns are in engineering by LDAP, which a rule gives her as well."""
    corp = source()
    told = read(
        person("alice", attributes={"department": ("R&D",)}),
        group("interns", "alice"),
        group("engineering", children=("interns",)),
        complete=False,
    )
    take(corp, told, by=BY)
    engineering = Group.objects.get(name="engineering")
    server = servers.create(name="search", by=BY)
    grants.give(group=engineering, server=server, by=BY)
    memberships.give(person=somebody("alice"), group=Group.objects.get(name="interns"), reason="asked for it", by=BY)
    extra = groups.create(name="r-and-d", by=BY)
    grants.give(group=extra, server=server, by=BY)
    sources.add_rule(corp, group=extra, kind="attribute", attribute="department", pattern="R&D", by=BY)
    take(corp, told, by=BY)
    return server


def ways(server) -> dict[tuple[str, ...], list[tuple[str, str]]]:
    world = CURRENT.look()
    found = told_with_sources(explain(question_of(somebody("alice").pk, server.pk, at=time.time()), world), world)
    return {
        tuple(way["groups"]): [(each["source"], each["reason"]) for each in way["given_by"]] for way in found["because"]
    }


def test_every_way_names_who_gives_the_membership(search):
    rule = "everybody whose department is R&D in ldap:corp is in r-and-d"
    assert {
        ("interns", "engineering"): [("ldap:corp", ""), ("local", "asked for it")],
        ("r-and-d",): [("ldap:corp", rule)],
    } == ways(search)


def test_each_step_up_names_who_nested_the_groups(search):
    groups.nest(Group.objects.get(name="interns"), parent=Group.objects.get(name="engineering"), by=BY)
    world = CURRENT.look()
    found = told_with_sources(explain(question_of(somebody("alice").pk, search.pk, at=time.time()), world), world)
    assert [["ldap:corp", "local"]] == next(way["nested_by"] for way in found["because"] if len(way["groups"]) > 1)


def test_the_command_line_says_so_as_well(search, capsys):
    call_command("explain", "alice@example.com", "search")
    said = capsys.readouterr().out
    assert "in interns by ldap:corp" in said
    assert "in interns by local: asked for it" in said
    call_command("explain", "alice@example.com", "search", "--json")
    assert "given_by" in json.loads(capsys.readouterr().out)["because"][0]


def test_a_nesting_that_two_give_ends_with_the_last_of_them(search):
    interns, engineering = Group.objects.get(name="interns"), Group.objects.get(name="engineering")
    groups.nest(interns, parent=engineering, by=BY)
    groups.unnest(interns.nested_in.get(source="ldap:corp"), by=BY)
    assert ("interns", "engineering") in ways(search)
    groups.unnest(interns.nested_in.get(), by=BY)
    assert ("interns", "engineering") not in ways(search)
