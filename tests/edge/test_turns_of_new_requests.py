"""Requests that nobody sent before are recorded with the others of their turn, and answered after that."""

import json
import os

import pytest

from authz.edge import recording
from authz.lookups.current import CURRENT
from tests.edge.test_repeated import recorded
from tests.edge.test_turns import ASKED, LIVEZ, arrive, said
from tests.people import ALICE, BOB, CHAT, PEOPLE, SEARCH_URL, bearer, cookie, key_of, live_in, nginx, world
from tests.wire import Wire, lines

pytestmark = pytest.mark.usefixtures("house")


def new(person, number=1, **more):
    """Return a request that was never sent before."""
    return lines(nginx(f"{SEARCH_URL}/{number}", cookie(person)) | more)


def check(user, group, **more):
    """Return what the chat asks about a person and a group."""
    body = json.dumps({"user_id": user, "group_id": group, **more}).encode()
    head = bearer(key_of(CHAT)) | {"Content-Length": str(len(body))}
    return lines(head, target="/api/v1/groups/check", method="POST") + body


@pytest.fixture
def wires(settings, tmp_path):
    """Connections of one loop, whose turn ends when the test says so."""
    recording.close_spool()
    settings.AUDIT_SPOOL_DIR = tmp_path / "spool"
    first = Wire()
    yield [first, *(Wire(turn=first.turn) for _ in range(2))]
    recording.close_spool()


@pytest.fixture
def writes(monkeypatch):
    """How many bytes each write(2) took."""
    sizes, write = [], os.write

    def counted(fd, data):
        sizes.append(len(data))
        return write(fd, data)

    monkeypatch.setattr(os, "write", counted)
    return sizes


ASKED_NOW = [new(ALICE), new(BOB), check("alice@example.com", "interns")]


def test_nothing_is_answered_before_all_of_it_is_recorded_by_one_write(wires, settings, writes):
    arrive(wires, ASKED_NOW)
    assert [[]] * 3 == said(wires)
    assert [] == writes == recorded(settings.AUDIT_SPOOL_DIR)

    wires[0].end_turn()
    assert [[200], [403], [200]] == said(wires)
    found = recorded(settings.AUDIT_SPOOL_DIR)
    assert [("alice", "search"), ("bob", "search"), ("alice", "interns")] == [
        (each["person"].partition("@")[0], each["target"]) for each in found
    ]
    assert 1 == len(writes)


def test_what_came_before_and_what_is_new_share_a_write(wires, settings, writes):
    for _ in range(4):
        wires[0].send(ASKED[ALICE])
    writes.clear()
    for number in range(3):
        arrive(wires, [new(BOB, number), ASKED[ALICE], new(ALICE, number)])
        wires[0].end_turn()
        assert [[403], [200], [200]] == said(wires)

    assert 3 == len(writes)
    found = recorded(settings.AUDIT_SPOOL_DIR)
    assert len(found) == len({each["id"] for each in found}) == 4 + 9
    urls = sorted((each["person"].partition("@")[0], each["url"].removeprefix(SEARCH_URL)) for each in found[4:])
    assert [("alice", "")] * 3 + [(person, f"/{n}") for person in ("alice", "bob") for n in range(3)] == urls


def test_a_batch_of_checks_is_one_write(wires, settings, writes):
    pairs = [{"user_id": "alice@example.com", "group_id": f"group {number}"} for number in range(500)]
    assert 200 == wires[0].send(check("", "", checks=pairs)).status

    assert 1 == len(writes)
    assert [f"group {number}" for number in range(500)] == [
        each["target"] for each in recorded(settings.AUDIT_SPOOL_DIR)
    ]


def test_a_world_that_ends_with_the_turn_answers_nobody(wires, settings):
    arrive(wires, ASKED_NOW)
    live_in(world(PEOPLE[ALICE - 1]._replace(active=False)))
    wires[0].end_turn()

    assert [[403], [403], [200]] == said(wires)
    assert b'"is_member": false' in wires[2].said
    assert ["deny"] * 3 == [each["effect"] for each in recorded(settings.AUDIT_SPOOL_DIR)]


def test_a_world_that_nobody_looked_after_answers_nobody(wires):
    arrive(wires, ASKED_NOW)
    CURRENT.looked_at = 0.0
    wires[0].end_turn()

    assert [[403], [403], [503]] == said(wires)


def test_what_cannot_be_recorded_is_not_given(wires, settings):
    arrive(wires, ASKED_NOW)
    settings.AUDIT_SPOOL_LIMIT = -1
    recording.close_spool()
    wires[0].end_turn()

    assert [[403], [403], [503]] == said(wires)


def test_a_disk_that_fails_in_the_worst_way_gives_no_answer_another_ones_place(wires, monkeypatch):
    def write(_fd, _data):
        raise MemoryError

    arrive(wires, ASKED_NOW)
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", write)
        wires[0].end_turn()

    assert [[403], [403], [503]] == said(wires)


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_a_connection_that_breaks_is_ended_and_the_others_are_answered(wires, broken):
    def write(_data):
        raise RuntimeError("the handler is closed")

    wires[broken].write = write
    arrive(wires, ASKED_NOW)
    wires[0].end_turn()

    assert [wire.closing for wire in wires] == [number == broken for number in range(3)]
    expected = [[200], [403], [200]]
    expected[broken] = []
    assert expected == said(wires)


FOLLOWING = {
    "something else": (LIVEZ, [200, 200]),
    "another new one": (new(BOB), [200, 403]),
    "one that came before": (ASKED[BOB], [200, 403]),
    "nonsense": (b"nonsense\r\n\r\n", [200, 400]),
    "half of another": (LIVEZ[:9], [200]),
}


@pytest.mark.parametrize("together", [False, True], ids=["one after the other", "in one breath"])
@pytest.mark.parametrize(("then", "expected"), FOLLOWING.values(), ids=FOLLOWING)
def test_what_follows_on_the_same_connection_is_answered_after_it(wires, then, expected, together):
    alice = wires[0]
    for _ in range(3):
        wires[1].send(ASKED[BOB])
    for piece in [new(ALICE) + then] if together else [new(ALICE), then]:
        alice.edge.data_received(piece)
    alice.end_turn()

    assert [expected] == said([alice])
    assert alice.said.startswith(b"HTTP/1.1 200 OK\r\nX-User-Email: alice@example.com")
    assert alice.closing == (400 in expected)


def test_many_in_one_breath_are_answered_in_their_order(wires):
    asked = b"".join(new(ALICE if number % 3 else BOB, number) for number in range(12))
    wires[0].said = b""
    wires[0].edge.data_received(asked)
    wires[0].end_turn()

    assert [[200 if number % 3 else 403 for number in range(12)]] == said(wires[:1])


def test_a_world_that_changes_between_two_in_one_breath_mixes_nothing_up(wires):
    wires[0].edge.data_received(new(ALICE) + new(ALICE, 2)[:40])
    live_in(world(PEOPLE[ALICE - 1]._replace(active=False)))
    wires[0].edge.data_received(new(ALICE, 2)[40:] + LIVEZ)
    wires[0].end_turn()

    assert [[403, 403, 200]] == said(wires[:1])


def test_the_last_request_of_a_connection_is_answered_before_it_ends(wires):
    arrive(wires, [new(ALICE, Connection="close"), new(BOB), check("alice@example.com", "interns")])
    assert not wires[0].closing
    wires[0].end_turn()

    assert [[200], [403], [200]] == said(wires)
    assert [True, False, False] == [wire.closing for wire in wires]
    assert b"Connection: close\r\n" in wires[0].said


def test_a_head_is_all_that_a_head_request_gets(wires):
    asked = lines(nginx(f"{SEARCH_URL}/1", cookie(BOB)), method="HEAD")
    for _ in range(4):
        answer = wires[0].send(asked)
        assert answer.startswith(b"HTTP/1.1 403")
        assert answer.endswith(b"\r\n\r\n")


def test_a_connection_that_ends_meanwhile_gets_nothing_and_keeps_nobody_waiting(wires):
    arrive(wires, ASKED_NOW)
    wires[1].close()
    wires[0].end_turn()

    assert [[200], [], [200]] == said(wires)


def test_who_demands_a_newer_world_waits_for_it_and_nobody_else_does(wires):
    """The look at the tables happens elsewhere; whatever was owed before it goes out in its turn."""
    wires[0].edge.data_received(new(ALICE))
    wires[1].edge.data_received(
        lines(bearer(key_of(CHAT)) | {"Authz-At-Least": "3f9c2a51.999", "Content-Length": "2"},
              target="/api/v1/groups/check", method="POST") + b"{}" + LIVEZ
    )  # fmt: skip
    wires[0].end_turn()

    assert [[200], [503, 200]] == said(wires[:2])


def test_a_service_that_is_suspended_within_the_turn_is_told_nothing(wires):
    arrive(wires[:1], [check("alice@example.com", "interns")])
    live_in(world(PEOPLE[CHAT - 1]._replace(active=False)))
    wires[0].end_turn()

    assert [[403]] == said(wires[:1])
