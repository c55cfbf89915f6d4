"""Grants are given to a group or to a person, limited, changed and taken back."""

import pytest

from authz.changes import grants, servers
from authz.models import Grant
from tests.admin.cast import BY
from tests.admin.screen import errors, kinds_since, revision, told


def test_a_grant_with_every_limit_is_given(screen, engineering, search):
    answer = screen.send(
        "authz_grant",
        "add",
        group=engineering.pk,
        server=search.pk,
        tools=" read \r\n\r\nget_*\r\nread",
        networks="10.1.2.3\r\n10.0.0.0/8",
        until_0="2099-01-31",
        until_1="12:00",
        reason="daily work",
    )

    grant = Grant.objects.get(group=engineering)
    assert 302 == answer.status_code
    assert (["get_*", "read"], ["10.0.0.0/8", "10.1.2.3/32"]) == (grant.tools, grant.networks)
    assert ("2099-01-31 12:00", "daily work") == (f"{grant.until:%F %R}", grant.reason)
    assert ("use", "carol@example.com") == (grant.action, grant.given_by)


def test_a_grant_without_limits_opens_every_tool(screen, alice, search):
    screen.send("authz_grant", "add", person=alice.pk, server=search.pk)

    grant = Grant.objects.get(person=alice)
    assert (None, [], None) == (grant.tools, grant.networks, grant.until)


@pytest.mark.parametrize(
    ("holders", "sent", "field", "said"),
    [
        ("both", {}, "person", "not both"),
        ("none", {}, "group", "Name a group"),
        ("group", {"server": ""}, "server", "required"),
        ("group", {"server": "999"}, "server", "valid choice"),
        ("group", {"action": "rule"}, "action", "valid choice"),
        ("group", {"networks": "10.0.0.0/8\n10.0.0.1/8\nhere"}, "networks", "host bits"),
        ("group", {"tools": "a\u202eb"}, "tools", "cannot be shown"),
        ("group", {"tools": "read", "server": "chat"}, "tools", "not an MCP server"),
        ("group", {"until_0": "2099-13-01", "until_1": "12:00"}, "until", "valid date"),
        ("group", {"reason": "x" * 301}, "reason", "at most 300"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(screen, alice, engineering, search, holders, sent, field, said):  # noqa: PLR0917  a test names every fixture that it uses
    chat = servers.create(name="chat", kind="web", by=BY)
    asked = {"server": search.pk} | sent | ({"server": chat.pk} if sent.get("server") == "chat" else {})
    asked |= {"group": engineering.pk} if holders in {"both", "group"} else {}
    asked |= {"person": alice.pk} if holders == "both" else {}
    before = revision()

    found = errors(screen.send("authz_grant", "add", **asked))

    assert [field] == list(found)
    assert said in found[field][0]
    assert before == revision()


def test_every_line_that_is_wrong_is_named(screen, engineering, search):
    sent = {"group": engineering.pk, "server": search.pk, "networks": "here\n10.0.0.0/8\nthere"}

    assert 2 == len(errors(screen.send("authz_grant", "add", **sent))["networks"])


def test_a_grant_is_changed_and_only_what_changed_is_told(screen, alice, engineering, search):
    grant = grants.give(group=engineering, server=search, tools=["read"], by=BY)
    entries = told()

    screen.send("authz_grant", "change", grant.pk, tools="", group="", person=alice.pk)

    grant.refresh_from_db()
    assert (None, alice, None) == (grant.group, grant.person, grant.tools)
    assert ["grant.changed"] == kinds_since(entries)


def test_grants_are_taken_back(screen, alice, engineering, search):
    held = [grants.give(group=engineering, server=search, by=BY), grants.give(person=alice, server=search, by=BY)]
    before = revision()

    assert 302 == screen.act("authz_grant", "remove_selected", *held, reason="review").status_code
    assert (before + 1, 0) == (revision(), Grant.objects.filter(server=search).count())


def test_the_grant_that_makes_the_administrators_stays(screen):
    grant = Grant.objects.get(action="administer")
    for sent in ({"action": "use"}, {"until_0": "2020-01-01", "until_1": "00:00"}, {"networks": "10.0.0.0/8"}):
        answer = screen.send("authz_grant", "change", grant.pk, **sent)
        if answer.status_code == 200:
            assert "nobody could administer" in str(errors(answer))
    assert b"nobody could administer" in screen.act("authz_grant", "remove_selected", grant, reason="").content
