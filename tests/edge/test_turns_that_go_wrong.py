"""Whatever goes wrong within a turn, each request gets its own answer, in its place, and the next turn is whole."""

import gc
import os

import pytest

from authz.decisions.world import World
from authz.edge import recording
from authz.edge.serve import LARGEST_HEAD, PIECE
from authz.edge.turns import LONGEST
from authz.lookups.current import CURRENT
from tests.edge.test_repeated import recorded, repeats
from tests.edge.test_turns import ASKED, LIVEZ, said
from tests.edge.test_turns_of_new_requests import check, new
from tests.people import ALICE, BOB, SEARCH_URL, at, cookie, live_in, nginx, session, token_of, world
from tests.wire import STATUS, SlowWire, Wire, lines

pytestmark = pytest.mark.usefixtures("house")
NEWER = lines(nginx(SEARCH_URL, {"Cookie": f"gatehouse={token_of(ALICE, 9, revision=500)}"}))
"""A session that began in a World that nobody here knows; the look for it fails, for there are no tables."""

OURS = 7_000_000
"""Revisions that no other test lives in."""
SMALL = lines({"X-Padding": "x" * 200}, target="/livez")


@pytest.fixture
def spool(settings, tmp_path):
    """The folder of what is recorded."""
    recording.close_spool()
    settings.AUDIT_SPOOL_DIR = tmp_path / "spool"
    yield settings.AUDIT_SPOOL_DIR
    recording.close_spool()


def until_quiet(*wires):
    """Let everything happen that is under way, and return how many looks it took."""
    looks = 0
    while any(wire.works or wire.turn.loop.after for wire in wires):
        for wire in wires:
            looks += wire.work()
            wire.turn.loop.end_turn()
        assert looks < 10, "there is no end to it"
    return looks


def test_who_needs_a_moment_is_not_overtaken_when_the_world_moves_on(spool):
    first = SlowWire()
    slow = SlowWire(turn=first.turn)
    slow.edge.data_received(NEWER + new(ALICE))
    first.edge.data_received(new(BOB))
    live_in(world(revision=101))
    assert slow.work()
    until_quiet(first, slow)

    assert [[403], [401, 200]] == said([first, slow])


def test_who_needs_a_moment_takes_it_once_whatever_cannot_be_recorded(spool, settings):
    wire = SlowWire()
    settings.AUDIT_SPOOL_LIMIT = -1
    wire.edge.data_received(NEWER + LIVEZ)

    assert 1 == until_quiet(wire)
    assert [[403, 200]] == said([wire])


def test_what_arrives_meanwhile_waits_and_is_answered_in_its_order(spool):
    wire = SlowWire()
    wire.edge.data_received(NEWER + new(ALICE) + LIVEZ)
    wire.edge.data_received(new(BOB) + b"nonsense\r\n\r\n")
    wire.end_turn()
    assert [[]] == said([wire])
    until_quiet(wire)

    assert [[401, 200, 200, 403, 400]] == said([wire])
    assert 3 == len(recorded(spool))


def test_a_turn_that_lasted_too_long_is_judged_anew(spool, monkeypatch):
    live_in(world(session(ALICE, number=1, until=2e9)))
    for began, after, expected in ((2e9 - 0.2, LONGEST * 0.9, 200), (2e9 - 0.2, LONGEST * 2, 401), (2e9, -3600, 200)):
        wire = Wire()
        with at(monkeypatch, began):
            wire.edge.data_received(lines(nginx(SEARCH_URL, cookie(ALICE, 1))))
        with at(monkeypatch, began + after):
            wire.end_turn()
        assert [[expected]] == said([wire])


def test_a_body_that_looks_like_a_known_request_is_a_body_all_the_same(spool):
    wire = Wire()
    for _ in range(3):
        wire.send(ASKED[BOB])
    assert 1 == repeats()
    head = lines({"Content-Length": str(len(ASKED[BOB]))}, target="/livez", method="POST")
    wire.said = b""
    wire.edge.data_received(new(ALICE) + head)
    wire.end_turn()
    wire.edge.data_received(ASKED[BOB])
    wire.end_turn()

    assert [[200, 200]] == said([wire])
    assert b'"live": true' in wire.said


def test_the_other_half_is_answered_once_it_is_there(spool):
    wire = Wire()
    wire.edge.data_received(new(ALICE) + LIVEZ[:9])
    wire.end_turn()
    assert [[200]] == said([wire])
    assert [[200]] == said([sent_more(wire, LIVEZ[9:])])


def sent_more(wire, data):
    wire.send(data)
    return wire


@pytest.mark.parametrize("failing", ["the World", "the disk"])
def test_the_next_turn_is_whole_again(spool, failing, monkeypatch):
    first = Wire()
    wires = [first, Wire(turn=first.turn)]
    for wire, person in zip(wires, (ALICE, BOB), strict=True):
        wire.edge.data_received(new(person))
    with monkeypatch.context() as disk:
        if failing == "the World":
            live_in(world(revision=101))
        else:
            disk.setattr(os, "write", lambda _fd, _data: 0)
        first.end_turn()
    assert [[200], [403]] == said(wires) if failing == "the World" else [[403], [403]] == said(wires)

    writes, write = [], os.write

    def counted(fd, data):
        writes.append(data)
        return write(fd, data)

    monkeypatch.setattr(os, "write", counted)
    for wire, person in zip(wires, (ALICE, BOB), strict=True):
        wire.said = b""
        wire.edge.data_received(new(person, 2))
    first.end_turn()
    assert [[200], [403]] == said(wires)
    assert 1 == len(writes)


def test_each_decision_keeps_its_moment_and_its_address(spool, monkeypatch):
    first = Wire()
    wires = [first, Wire("10.0.0.9", turn=first.turn)]
    with at(monkeypatch, 2e9):
        wires[0].edge.data_received(new(ALICE))
    with at(monkeypatch, 2e9 + 0.05):
        wires[1].edge.data_received(check("", "", checks=[{"user_id": "a", "group_id": "b"}] * 2))
    with at(monkeypatch, 2e9 + 0.1):
        first.end_turn()

    assert [(2e9, ""), (2e9 + 0.05, "10.0.0.9"), (2e9 + 0.05, "10.0.0.9")] == [
        (each["at"].timestamp(), each["address"]) for each in recorded(spool)
    ]


def test_a_connection_that_lies_idle_keeps_no_world_and_no_credentials(spool):
    wires = [Wire() for _ in range(5)]
    for number, wire in enumerate(wires):
        live_in(world(revision=OURS + number))
        for _ in range(3):
            wire.send(new(ALICE))
            wire.send(check("alice@example.com", "interns"))
    live_in(world(revision=OURS + 9))
    gc.collect()
    assert {OURS + 9} == {each.revision for each in gc.get_objects() if type(each) is World and each.revision >= OURS}
    assert [(None, [])] * 5 == [(wire.edge.request, wire.edge.body) for wire in wires]


def test_an_answer_that_is_owed_is_waited_for(spool):
    """The sweep of connections that lie idle leaves them alone."""
    wire = SlowWire()
    seen = [wire.edge.waited_for]
    for asked in (new(ALICE), new(ALICE, 2), new(ALICE, 3), new(ALICE, 3), new(ALICE, 3)):
        wire.edge.data_received(asked)
        seen.append(wire.edge.waited_for)
        wire.end_turn()
        seen.append(wire.edge.waited_for)
    wire.edge.data_received(new(ALICE, 4) + LIVEZ[:9])
    seen.append(wire.edge.waited_for)
    wire.end_turn()
    wire.edge.data_received(LIVEZ[9:] + NEWER)
    seen.append(wire.edge.waited_for)
    until_quiet(wire)

    assert [False, *[True, False] * 5, True, True] == seen
    assert not wire.edge.waited_for


def test_who_does_not_read_is_not_read(spool):
    wire = SlowWire()
    found = []
    for happens in (
        wire.edge.pause_writing,
        wire.edge.resume_writing,
        lambda: wire.edge.data_received(NEWER),  # it needs a moment, and has it only at the end
        wire.edge.resume_writing,
        lambda: until_quiet(wire),
        lambda: wire.edge.data_received(NEWER),
        wire.edge.pause_writing,
        lambda: until_quiet(wire),
        wire.edge.resume_writing,
    ):
        happens()
        found.append(wire.paused)

    assert [True, False, True, True, False, True, True, True, False] == found


@pytest.mark.parametrize("again", [1, 4], ids=["read", "unread"])
def test_a_connection_that_is_answered_is_not_idle(spool, again):
    wire = Wire()
    for _ in range(again):
        wire.edge.seen -= 1000
        wire.send(ASKED[ALICE])
        assert wire.time() - wire.edge.seen < 1


def test_each_request_has_its_own_size_whatever_comes_with_it(spool):
    wire = SlowWire()
    assert len(SMALL * 400) > LARGEST_HEAD
    assert [200] * 400 == [int(status) for status in STATUS.findall(wire.send(SMALL * 400))]
    padded = check("alice@example.com", "interns", more="x" * 50_000)
    assert len(padded * 3) > LARGEST_HEAD
    assert [200] * 3 == [int(status) for status in STATUS.findall(wire.send(padded * 3))]
    large = lines({"X-Padding": "x" * (LARGEST_HEAD + 2 * PIECE)}, target="/livez")
    assert [200, 431] == [int(status) for status in STATUS.findall(wire.send(LIVEZ + large))]
    assert wire.closing


def test_long_names_that_nobody_has_take_no_room(spool):
    wire = Wire()
    for number in range(5):
        for _ in range(3):
            assert 1 == wire.send(check("\U0001f600" * 1000, f"group {number}")).count(b'"is_member": false')
    assert 0 == repeats()


def test_a_world_that_comes_back_after_an_outage_is_lived_in(spool):
    wire = Wire()
    CURRENT.looked_at = 0.0
    assert 403 == wire.send(new(ALICE)).status
    live_in(world())
    assert 200 == wire.send(new(ALICE)).status
