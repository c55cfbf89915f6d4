"""Who is connected is told at the command line, and ended there."""

import json

import pytest
from django.core.management import CommandError, call_command

from audit.context import Actor
from audit.models import Entry
from authz.changes import people, servers
from authz.lookups.connections import live
from tests.roster import carried, connected, killed

pytestmark = pytest.mark.django_db
BY = Actor.command("tests")


@pytest.fixture
def alice():
    return people.create(email="alice@example.com", by=BY)


@pytest.fixture
def bob():
    return people.create(email="bob@example.com", by=BY)


@pytest.fixture
def chat():
    return servers.create(name="Chat", kind="web", by=BY)


@pytest.fixture
def run(capsys):
    """Return a function that runs the command and returns what it said."""

    def running(*words):
        call_command("connections", *words)
        return capsys.readouterr().out

    return running


def test_nobody_is_connected(run):
    assert "Nobody is connected.\n" == run()
    assert [] == json.loads(run("--json"))


def test_the_table_is_aligned(run, alice, bob, chat):
    hers = connected(alice, chat, id="a" * 32, opened=1_767_225_600.0, ends=1_767_229_200.0)
    carried(hers, received=1536, sent=0)
    connected(bob, id="b", kind="tcp", credential="key:12", address="", opened=1_767_225_601.0, ends=1_767_229_201.0)

    def laid_out(*cells):
        widths = (32, 17, 8, 5, 16, 9, 10, 8, 7, 16)
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, (*widths, 0), strict=True))

    assert [
        laid_out("ID", "PERSON", "TO", "KIND", "SINCE (UTC)", "FROM", "BY", "RECEIVED", "SENT", "ENDS (UTC)", "WHEN"),
        laid_out(
            "b", "bob@example.com", "JSON-RPC", "tcp", "2026-01-01 00:00", "", "API key 12", "0 bytes", "0 bytes",
            "2026-01-01 01:00", "its longest life is over",
        ),
        laid_out(
            "a" * 32, "alice@example.com", "Chat", "relay", "2026-01-01 00:00", "192.0.2.7", "session 1", "1.5 KB",
            "0 bytes", "2026-01-01 01:00", "its longest life is over",
        ),
    ] == run().splitlines()  # fmt: skip


def test_those_of_one_person_or_to_one_server_are_told(run, alice, bob, chat):
    hers, his = connected(alice, chat), connected(bob, chat)
    connected(bob, process="killed")
    killed("killed")

    def told(*words):
        return {each["id"] for each in json.loads(run("--json", *words))}

    assert {hers.pk, his.pk} == told()
    assert {hers.pk} == told("--person", "ALICE@example.com")
    assert {hers.pk, his.pk} == told("--server", "chat")
    assert {his.pk} == told("--server", "chat", "--person", "bob@example.com")


def test_one_is_disconnected(run, alice):
    hers, stays = connected(alice), connected(alice)

    assert "The connection of alice@example.com to rpc was ended.\n" == run("--disconnect", hers.pk)
    assert [stays] == list(live())
    told = Entry.objects.order_by("-number")[0]
    assert ("connection.hung_up", "command", "connections") == (told.kind, told.actor_kind, told.actor)


def test_all_of_one_person_are_disconnected(run, alice, bob):
    connected(alice)
    connected(alice)
    his = connected(bob)

    assert "All connections of alice@example.com were ended.\n" == run("--disconnect-all", "Alice@example.com")
    assert [his] == list(live())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--person", "nobody@example.com"), "nobody is called 'nobody@example.com'"),
        (("--server", "payroll"), "no server is called 'payroll'"),
        (("--disconnect", "x"), "no live connection is called 'x'"),
        (("--disconnect-all", "nobody@example.com"), "nobody is called 'nobody@example.com'"),
        (("--disconnect", "x", "--disconnect-all", "y"), "not allowed with argument"),
    ],
)
def test_an_error_names_what_is_wrong(run, words, said):
    with pytest.raises(CommandError, match=said):
        run(*words)
