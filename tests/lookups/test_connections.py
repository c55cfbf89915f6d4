"""The roster shows the connections of processes that are alive, and of no others."""

import pytest

from audit.context import Actor
from authz.changes import connections, people, servers
from authz.lookups.connections import live, told, with_issuers
from tests.roster import closed, connected, killed

pytestmark = pytest.mark.django_db
BY = Actor.command("tests")


@pytest.fixture
def alice():
    return people.create(email="alice@example.com", by=BY)


def test_what_a_killed_process_held_is_not_shown_any_more(alice):
    stays = connected(alice, process="alive")
    connected(alice, process="killed")
    killed("killed")

    assert [stays] == list(live())
    assert [stays] == list(with_issuers())


def test_what_was_hung_up_or_closed_is_not_shown(alice):
    hung_up, gone, stays = (connected(alice) for _ in range(3))
    connections.hang_up(hung_up, by=BY, because="tests")
    closed(gone)

    assert [stays] == list(live())


def test_a_connection_is_told_in_names_and_in_utc(alice):
    chat = servers.create(name="Chat", kind="web", by=BY)
    here = connected(alice, chat, id="c1", opened=1_767_225_600.0, ends=1_767_229_200.5)

    assert {
        "id": "c1",
        "person": "alice@example.com",
        "server": "Chat",
        "kind": "relay",
        "credential": "session:1",
        "address": "192.0.2.7",
        "origin": "https://chat.example.com",
        "opened_at": "2026-01-01T00:00:00+00:00",
        "ends_at": "2026-01-01T01:00:00.500000+00:00",
        "ends_because": "lifetime",
        "received": 0,
        "sent": 0,
    } == told(here)
    assert told(connected(alice))["server"] is None
