"""A form that was opened a while ago never undoes what somebody else saved since; it is refused with what differs."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from authz.admin.stale import MOST
from authz.changes import grants, groups, issuers, memberships, people, proxies, servers, sources
from authz.models import Group, Membership
from tests.admin.cast import BY
from tests.admin.screen import errors, fields_of, row, told

END = datetime(2099, 3, 1, 12, 0, 0, 7, tzinfo=UTC)


class Opened:
    """A form in a second browser: opened now, sent later."""

    def __init__(self, screen, noun, thing) -> None:
        self.screen = screen
        self.path = reverse(f"admin:authz_{noun}_change", args=[thing.pk])
        self.fields = fields_of(screen.client.get(self.path))

    def send(self, **changes):
        return self.screen.client.post(self.path, self.fields | changes)


def refused(answer, field, said):
    text = " ".join(errors(answer)[field])
    assert said in text, text
    assert "Nothing was saved" in text
    assert "Somebody has changed this since you opened it" in answer.content.decode(), "and it is on the page"


def test_an_end_of_a_membership_survives_a_stale_description(screen, alice, engineering):
    given = memberships.give(person=alice, group=engineering, by=BY)
    stale = Opened(screen, "group", engineering)
    memberships.edit(given, until=END, by=BY)
    before = told()

    refused(stale.send(description="Builds things."), "memberships-0-__all__", "Until (UTC) is now 2099-03-01 12:00:00")

    assert (END, before) == (Membership.objects.get(group=engineering, person=alice).until, told())
    assert "" == Group.objects.get(pk=engineering.pk).description


@pytest.mark.parametrize("tries", [1, 2, 3])
def test_sending_it_again_does_not_help(screen, alice, engineering, tries):
    given = memberships.give(person=alice, group=engineering, by=BY)
    stale = Opened(screen, "group", engineering)
    memberships.edit(given, until=END, by=BY)
    for _ in range(tries):
        answer = stale.send(description="Builds things.")
        stale.fields = fields_of(answer)
    refused(stale.send(), "memberships-0-__all__", "is now")
    assert END == Membership.objects.get(group=engineering, person=alice).until


def directory():
    return sources.add(kind="scim", name="okta", title="Okta", settings={}, by=BY)


CASES = {
    # noun: (what there is, what somebody else does meanwhile, what is then sent, the field, what is said)
    "a group's name": (
        "group",
        lambda: groups.create(name="builders", by=BY),
        lambda it: groups.edit(it, name="makers", by=BY),
        {"description": "Builds."},
        'Name is now "makers"',
    ),
    "a person's e-mail": (
        "user",
        lambda: people.create(email="dave@example.com", by=BY),
        lambda it: people.edit(it, email="david@example.com", by=BY),
        {"name": "Dave"},
        'is now "david@example.com"',
    ),
    "a server that was switched off": (
        "server",
        lambda: servers.create(name="wiki", by=BY),
        lambda it: servers.edit(it, enabled=False, by=BY),
        {"description": "The wiki."},
        "Enabled is now off",
    ),
    "an issuer that was switched off": (
        "issuer",
        lambda: issuers.trust(
            name="Okta",
            issuer="https://id.example.com",
            audiences=["portal"],
            jwks_url="https://id.example.com/keys",
            by=BY,
        ),
        lambda it: issuers.edit(it, enabled=False, by=BY),
        {"audiences": "portal\nwiki"},
        "is now off",
    ),
    "a directory that was switched off": (
        "source",
        directory,
        lambda it: sources.edit(it, enabled=False, by=BY),
        {"title": "Okta (EU)"},
        "Enabled is now off",
    ),
    "a proxy whose networks were narrowed": (
        "proxy",
        lambda: proxies.trust(name="front", networks=["10.0.0.0/16"], by=BY),
        lambda it: proxies.edit(it, networks=["10.1.0.0/16", "10.2.0.0/16"], by=BY),
        {"name": "edge"},
        'Networks is now "10.1.0.0/16, 10.2.0.0/16"',
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_reverted(screen, case):
    noun, make, meanwhile, changes, said = CASES[case]
    thing = make()
    stale = Opened(screen, noun, thing)
    meanwhile(thing)
    before, held = told(), type(thing).objects.filter(pk=thing.pk).values().get()

    refused(stale.send(**changes), "__all__", said)

    assert (before, held) == (told(), type(thing).objects.filter(pk=thing.pk).values().get())
    assert 302 == Opened(screen, noun, thing).send(**changes).status_code, "opened again, it is saved"


def test_the_end_of_a_grant_and_its_tools_are_kept(screen, engineering, search):
    grant = grants.give(group=engineering, server=search, tools=["read"], by=BY)
    stale = Opened(screen, "grant", grant)
    grants.edit(grant, until=END, tools=["find", "read"], by=BY)
    answer = stale.send(networks="10.0.0.0/8")
    refused(answer, "__all__", "Until (UTC) is now 2099-03-01 12:00:00")
    refused(answer, "__all__", 'Tools is now "find, read"')
    grant.refresh_from_db()
    assert (END, []) == (grant.until, grant.networks)


def test_a_tool_stays_off(screen, search):
    tool = servers.add_tool(search, name="delete_issue", by=BY)
    stale = Opened(screen, "server", search)
    servers.edit_tool(tool, enabled=False, by=BY)
    refused(stale.send(description="Searches."), "tools-0-__all__", "Enabled is now off")
    tool.refresh_from_db()
    assert not tool.enabled


def test_who_saves_the_same_and_who_touches_something_else_is_let_through(screen, engineering):
    stale = Opened(screen, "group", engineering)
    groups.edit(engineering, description="Builds things.", by=BY)
    assert 302 == stale.send(description="Builds things.").status_code
    assert 302 == Opened(screen, "group", engineering).send(description="Builds.").status_code


def test_a_row_that_changed_is_not_removed_unseen(screen, alice, engineering):
    given = memberships.give(person=alice, group=engineering, by=BY)
    stale = Opened(screen, "group", engineering)
    memberships.edit(given, until=END, reason="leaves", by=BY)
    answer = stale.send(**{"memberships-0-DELETE": "on"})
    assert 200 == answer.status_code
    assert END == Membership.objects.get(group=engineering, person=alice).until


def test_a_row_added_meanwhile_is_left_alone(screen, alice, bob, engineering):
    stale = Opened(screen, "group", engineering)
    memberships.give(person=bob, group=engineering, until=timezone.now() + timedelta(days=1), by=BY)
    assert 302 == stale.send(description="x", **row("memberships", 0, person=alice.pk)).status_code
    assert 2 == Membership.objects.filter(group=engineering).count()


@pytest.mark.parametrize("shown", [None, "", "{}", "[]", "{", "[" * 9000, "x" * (MOST + 1), '{"description":1}'])
def test_a_form_that_does_not_say_what_it_showed_changes_nothing(screen, engineering, shown):
    form = Opened(screen, "group", engineering)
    form.fields.pop("shown")
    refused(form.send(description="x", **({} if shown is None else {"shown": shown})), "__all__", "Description is now")
    assert "" == Group.objects.get(pk=engineering.pk).description


def test_a_row_deleted_meanwhile_stays_deleted(screen, engineering):
    stale = Opened(screen, "group", engineering)
    groups.remove(engineering, by=BY)
    assert 302 == stale.send(description="x").status_code
    assert not Group.objects.filter(name="engineering").exists()


def test_no_fingerprint_gives_a_value_away(screen, engineering):
    groups.edit(engineering, description="secret plans", by=BY)
    shown = Opened(screen, "group", engineering).fields["shown"][0]
    assert "secret" not in shown
    assert {"name", "description"} == set(json.loads(shown))
