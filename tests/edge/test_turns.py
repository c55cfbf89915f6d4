"""Requests that one turn of the loop brings are recorded together, and answered after that, each in its place."""

import os
import time

import pytest

from authz.credentials.usage import USAGE
from authz.edge import recording
from authz.lookups.current import CURRENT, current_world
from tests.edge.test_repeated import recorded
from tests.people import ALICE, BOB, MALLORY, PEOPLE, SEARCH_URL, at, cookie, live_in, nginx, session, world
from tests.wire import STATUS, Wire, lines

pytestmark = pytest.mark.usefixtures("house")
ASKED = {person: lines(nginx(SEARCH_URL, cookie(person))) for person in (ALICE, BOB, MALLORY)}
LIVEZ = lines({}, target="/livez")


@pytest.fixture
def wires(settings, tmp_path):
    """Connections of one loop, whose turn ends when the test says so; all of their requests came before."""
    first = Wire()
    for asked in ASKED.values():
        for _ in range(3):
            first.send(asked)
    recording.close_spool()
    settings.AUDIT_SPOOL_DIR = tmp_path / "spool"
    yield [Wire(turn=first.turn) for _ in ASKED]
    recording.close_spool()


def arrive(wires, asked):
    """Have requests arrive in one turn, each on a connection of its own."""
    for wire, data in zip(wires, asked, strict=True):
        wire.said = b""
        wire.edge.data_received(data)


def said(wires):
    """Return the statuses of what each connection was answered."""
    return [[int(status) for status in STATUS.findall(wire.said)] for wire in wires]


def test_nothing_is_answered_before_all_of_it_is_recorded(wires, settings):
    arrive(wires, ASKED.values())
    assert [[]] * 3 == said(wires)
    assert [] == recorded(settings.AUDIT_SPOOL_DIR)

    wires[0].edge.turn.end()
    assert [[200], [403], [403]] == said(wires)
    found = recorded(settings.AUDIT_SPOOL_DIR)
    assert ["alice", "bob", "mallory"] == [each["person"].partition("@")[0] for each in found]
    assert 3 == len({each["id"] for each in found})


def test_a_turn_is_one_write_and_one_that_was_told_takes_little_of_it(wires, settings):
    sizes = []
    for _ in range(4):
        arrive(wires, ASKED.values())
        wires[0].edge.turn.end()
        sizes.append(max(path.stat().st_size for path in settings.AUDIT_SPOOL_DIR.glob("*.spool")))

    told, *again = [after - before for before, after in zip([0, *sizes], sizes, strict=False)]
    assert told > 3 * 300
    assert all(each < 130 for each in again)


def test_nobody_is_given_anothers_answer(wires):
    for order in ((ALICE, BOB, MALLORY), (MALLORY, ALICE, ALICE), (BOB, MALLORY, ALICE)):
        arrive(wires, [ASKED[person] for person in order])
        wires[0].edge.turn.end()
        for wire, person in zip(wires, order, strict=True):
            assert (person == ALICE) == (b"X-User-Email: alice@example.com" in wire.said)
            assert (person == ALICE) == wire.said.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("then", "expected"),
    [(LIVEZ, [200, 200]), (ASKED[ALICE], [200, 200]), (b"nonsense\r\n\r\n", [200, 400]), (LIVEZ[:9], [200])],
)
def test_what_follows_on_the_same_connection_is_answered_after_it(wires, then, expected):
    alice = wires[0]
    alice.said = b""
    alice.edge.data_received(ASKED[ALICE])
    alice.edge.data_received(then)
    alice.edge.turn.end()

    assert [expected] == said([alice])
    assert alice.said.startswith(b"HTTP/1.1 200 OK\r\nX-User-Email: alice@example.com")


def test_a_world_that_ends_with_the_turn_answers_nobody(wires):
    arrive(wires, ASKED.values())
    live_in(world(PEOPLE[0]._replace(active=False)))
    wires[0].edge.turn.end()

    assert [[403]] * 3 == said(wires)


def test_a_world_that_nobody_looked_after_answers_nobody(wires):
    arrive(wires, ASKED.values())
    CURRENT.looked_at = 0.0
    wires[0].edge.turn.end()

    assert [[403]] * 3 == said(wires)


def test_what_cannot_be_recorded_is_not_given(wires, settings):
    arrive(wires, ASKED.values())
    recording.close_spool()
    settings.AUDIT_SPOOL_LIMIT = -1
    wires[0].edge.turn.end()

    assert [[403]] * 3 == said(wires)


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_a_connection_that_breaks_is_ended_and_the_others_are_answered(wires, broken):
    def write(_data):
        raise RuntimeError("the handler is closed")

    wires[broken].write = write
    arrive(wires, ASKED.values())
    wires[0].edge.turn.end()

    assert [wire.closing for wire in wires] == [number == broken for number in range(3)]
    expected = [[200], [403], [403]]
    expected[broken] = []
    assert expected == said(wires)


def test_a_disk_that_fails_in_the_worst_way_gives_no_answer_another_ones_place(wires, monkeypatch):
    def write(_fd, data):
        raise MemoryError

    arrive(wires, ASKED.values())
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", write)
        wires[0].edge.turn.end()

    assert [[403]] * 3 == said(wires)


def test_what_ends_within_a_turn_is_not_given_at_its_end(wires, monkeypatch):
    live_in(world(session(ALICE, number=1, until=2e9)))
    first, asked = Wire(turn=wires[0].turn), lines(nginx(SEARCH_URL, cookie(ALICE, 1)))
    with at(monkeypatch, 2e9 - 10):
        for _ in range(3):
            arrive([first], [asked])
            first.turn.end()
    assert [[200]] == said([first])
    with at(monkeypatch, 2e9 - 0.1):
        arrive([first], [asked])
    with at(monkeypatch, 2e9 + 0.1):
        first.turn.end()

    assert [[401]] == said([first])


def test_what_has_ended_goes_the_long_way_alone(wires, settings, monkeypatch):
    live_in(world(session(ALICE, number=1, until=2e9)))
    ended = lines(nginx(SEARCH_URL, cookie(ALICE, 1)))
    with at(monkeypatch, 2e9 - 10):
        for asked in ([ended] * 3, [ASKED[BOB]] * 3) * 3:
            arrive(wires, asked)
            wires[0].edge.turn.end()
    with at(monkeypatch, 2e9 + 10):
        arrive(wires, [ended, ASKED[BOB], ended])
        wires[0].edge.turn.end()

    assert [[401], [403], [401]] == said(wires)
    (spool,) = settings.AUDIT_SPOOL_DIR.glob("*.spool")
    named, *told = spool.read_bytes().splitlines()[-3:]
    assert b'"again":[[' in named
    assert all(b'"effect":"sign-in"' in line for line in told)


def test_a_connection_that_ends_meanwhile_gets_nothing_and_keeps_nobody_waiting(wires):
    arrive(wires, ASKED.values())
    wires[1].close()
    wires[0].edge.turn.end()

    assert [[200], [], [403]] == said(wires)


def test_a_use_is_noted_within_a_second_and_at_most_once_in_it(wires, monkeypatch):
    number = current_world().sessions[session(ALICE).digest].number
    began = time.time()
    for after, expected in ((5, 5), (5.5, 5), (5.9, 5), (6.1, 6.1), (900, 900), (900.2, 900), (901.5, 901.5)):
        with at(monkeypatch, began + after):
            arrive(wires[:1], [ASKED[ALICE]])
            wires[0].edge.turn.end()
        assert [[200]] == said(wires[:1])
        assert began + expected == USAGE.session_seen(number)


def test_a_turn_without_requests_ends_without_a_word(wires, settings):
    wires[0].edge.turn.end()

    assert [] == recorded(settings.AUDIT_SPOOL_DIR)
