"""A decision that is made again is named by its place, and reaches the book as if it had been told."""

import errno
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import audit.spool
from audit.models import Entry
from audit.sequencer import drain_once
from audit.spool import MOST_AGAIN, Recurring, Spool, SpoolUnavailable, about, prepared
from audit.verify import verify_book
from tests.audit.test_sequencer import details, drain_all
from tests.run.examples import examples
from tests.spools import decisions_in

DECISION: dict[str, Any] = {
    "effect": "allow",
    "rule": "a_grant_opens_the_door",
    "code": "granted",
    "credential": "session:4",
    "action": "use",
    "target": "search",
    "tool": None,
    "address": "192.0.2.1",
    "revision": 7,
    "dialect": "nginx",
}
ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"


def recurring(person):
    """Return a decision about somebody that may be made again."""
    return Recurring(about(f"https://mcp.example.com/{person}", prepared(**DECISION, person=person)))


def lines(folder):
    """Return every line of every spool in a folder, file by file."""
    return [line for file in sorted(folder.glob("*.spool")) for line in file.read_bytes().splitlines(keepends=True)]


def test_what_was_told_is_named_by_its_place(tmp_path):
    spool, alice, bob = Spool("edge", folder=tmp_path), recurring(ALICE), recurring(BOB)
    spool.append_all([alice], at=1)
    spool.append_all([bob, alice, alice], at=2)
    spool.append_all([bob, alice], at=3)

    first, second, again, last = lines(tmp_path)
    (file,) = tmp_path.iterdir()
    assert [ALICE, BOB] == [json.loads(line)["person"] for line in (first, second)]
    assert {"id": f"{file.stem}-3", "at": 2_000_000, "again": [[0, 1], [0, 1]]} == json.loads(again)
    assert {"id": f"{file.stem}-5", "at": 3_000_000, "again": [[len(first), 2], [0, 1]]} == json.loads(last)
    assert len(last) < len(first) / 3


def test_what_is_named_says_the_same_as_what_is_told(tmp_path):
    spool, alice, bob = Spool("edge", folder=tmp_path), recurring(ALICE), recurring(BOB)
    for at in range(5):
        spool.append_all([alice, bob], at=at)
    said = [*decisions_in(tmp_path)]

    assert 10 == len({decision.id for _, decision in said})
    assert [float(at) for at in range(5) for _ in range(2)] == [at.timestamp() for at, _ in said]
    for person in (ALICE, BOB):
        told = [{**asdict(each), "id": ""} for _, each in said if each.person == person]
        assert [DECISION | {"id": "", "person": person, "url": f"https://mcp.example.com/{person}"}] * 5 == told


BATCHES = st.lists(st.lists(st.sampled_from((ALICE, BOB, CAROL)), min_size=1, max_size=6), max_size=30)


@settings(max_examples=examples(200))
@given(BATCHES, st.integers(300, 3000), st.lists(st.booleans(), min_size=30, max_size=30))
def test_nothing_is_lost_doubled_or_taken_for_another_whatever_is_made_again_and_when(batches, rotate, alone):
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool("edge", folder=Path(folder), rotate=rotate)
        made = {person: recurring(person) for person in (ALICE, BOB, CAROL)}
        expected = []
        for at, (batch, by_itself) in enumerate(zip(batches, alone, strict=False)):
            if by_itself:
                spool.append(made[batch[0]].rest, at=at)
            else:
                spool.append_all([made[person] for person in batch], at=at)
            expected += [(at, person) for person in (batch[:1] if by_itself else batch)]
        said = [*decisions_in(Path(folder))]
        spool.close()

    assert sorted(expected) == sorted((at.timestamp(), decision.person) for at, decision in said)
    assert len(said) == len({decision.id for _, decision in said})


def test_a_line_names_at_most_a_hundred(tmp_path):
    spool, alice = Spool("edge", folder=tmp_path), recurring(ALICE)
    spool.append_all([alice], at=0)
    spool.append_all([alice] * 250, at=1)

    assert [100, 100, 50] == [len(json.loads(line)["again"]) for line in lines(tmp_path)[1:]]
    assert 251 == len({decision.id for _, decision in decisions_in(tmp_path)})


def test_a_new_file_is_told_everything_anew(tmp_path):
    spool, alice = Spool("edge", folder=tmp_path), recurring(ALICE)
    for _ in range(2):
        spool.append_all([alice], at=0)
        spool.append_all([alice], at=0)
        spool.close()

    assert [{"again"}, set()] * 2 == [{"again"} - json.loads(line).keys() for line in lines(tmp_path)]
    assert 4 == len({decision.id for _, decision in decisions_in(tmp_path)})


def test_two_spools_name_only_what_they_told_themselves(tmp_path):
    one, other, alice = Spool("edge", folder=tmp_path), Spool("edge", folder=tmp_path), recurring(ALICE)
    for spool in (one, other, one, other):
        spool.append_all([alice], at=0)

    assert all("again" not in json.loads(line) for line in lines(tmp_path))


@pytest.mark.parametrize("written", [None, 0, 100], ids=["an error", "nothing", "a part"])
def test_a_batch_that_cannot_be_written_is_told_whole_the_next_time(tmp_path, monkeypatch, written):
    """Neither a place nor a number of what was not written is used again."""
    spool, alice, bob = Spool("edge", folder=tmp_path), recurring(ALICE), recurring(BOB)
    spool.append_all([bob], at=0)
    real = os.write

    def full(fd, data):
        if written is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(fd, data[:written]) if written else 0

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", full)
        with pytest.raises(SpoolUnavailable):
            spool.append_all([alice, bob, alice], at=1)
    spool.append_all([alice, bob], at=2)
    spool.append_all([alice, bob], at=3)
    for file in tmp_path.iterdir():
        whole = file.read_bytes()
        file.write_bytes(whole[: whole.rindex(b"\n") + 1])  # the torn end is the sequencer's to report

    said = [*decisions_in(tmp_path)]
    assert sorted([(0.0, BOB), (2.0, ALICE), (2.0, BOB), (3.0, ALICE), (3.0, BOB)]) == sorted(
        (at.timestamp(), decision.person) for at, decision in said
    )
    assert 5 == len({decision.id for _, decision in said})


def test_a_batch_of_nothing_writes_nothing(tmp_path):
    Spool("edge", folder=tmp_path).append_all([], at=0)

    assert [] == lines(tmp_path)


def test_a_file_that_somebody_else_wrote_to_is_left_within_a_second(tmp_path, monkeypatch):
    monkeypatch.setattr(audit.spool, "CHECK_EVERY", 0.0)
    spool, alice = Spool("edge", folder=tmp_path), recurring(ALICE)
    spool.append_all([alice], at=0)
    (file,) = tmp_path.iterdir()
    with file.open("ab") as end:
        end.write(b"hello")
    for at in range(1, 4):
        spool.append_all([alice], at=at)
    (other,) = set(tmp_path.iterdir()) - {file}

    assert [False, True, True] == ["again" in json.loads(line) for line in other.read_bytes().splitlines()]


@pytest.mark.django_db
def test_named_decisions_become_entries_of_their_own(tmp_path):
    spool, alice, bob = Spool("edge", folder=tmp_path), recurring(ALICE), recurring(BOB)
    for at in range(4):
        spool.append_all([alice, bob, alice], at=at)
    assert 12 == drain_all(tmp_path)

    assert 12 == len({detail["id"] for detail in details()})
    assert [0.0] * 3 + [1.0] * 3 + [2.0] * 3 + [3.0] * 3 == [
        each.at.timestamp() for each in Entry.objects.order_by("number")
    ]
    assert {ALICE: 8, BOB: 4} == {name: Entry.objects.filter(subject=name).count() for name in (ALICE, BOB)}
    assert verify_book().broken is None


@pytest.mark.django_db
def test_a_turn_ends_with_the_line_that_fills_it_and_the_next_goes_on_after_it(tmp_path):
    spool, alice = Spool("edge", folder=tmp_path), recurring(ALICE)
    spool.append_all([alice], at=0)
    for at in range(1, 4):
        spool.append_all([alice] * MOST_AGAIN, at=at)

    assert [101, 100, 100, 0] == [drain_once(50, folder=tmp_path) for _ in range(4)]
    assert 301 == len({detail["id"] for detail in details()})


def again(**changed):
    """Return a line that names the first decision of a file, changed."""
    return lambda name: json.dumps({"id": f"{name}-3", "at": 5, "again": [[0, 1]]} | changed).encode() + b"\n"


FORGED = {
    "another number": (again(again=[[0, 2]]), "another decision stands where it names one"),
    "the middle of a line": (again(again=[[1, 1]]), "it is not JSON in ASCII"),
    "what comes after it": (again(again=[[10**6, 1]]), "what it names does not come before it"),
    "before the beginning": (again(again=[[-1, 1]]), "what it names is no place"),
    "a truth": (again(again=[[False, 1]]), "what it names is no place"),
    "half a place": (again(again=[[0]]), "what it names is no place"),
    "no list": (again(again={"0": 1}), "what it names is not a list of decisions"),
    "nothing": (again(again=[]), "what it names is not a list of decisions"),
    "too many": (again(again=[[0, 1]] * (MOST_AGAIN + 1)), "what it names is not a list of decisions"),
    "no moment": (again(at="now"), "a number is not a number"),
    "no number": (again(id="edge"), "a number is not a number"),
    "a number beyond all numbers": (again(id="edge-" + "9" * 5000), "a number is not a number"),
    "no name": (again(id=7), "a number is not a number"),
    "another file's name": (again(id="edge-9"), "another decision stands where it names one"),
    "more than that": (again(effect="allow"), "it does not have the fields of a decision"),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("line", "problem"), FORGED.values(), ids=FORGED)
def test_a_line_that_names_no_decision_is_reported_and_the_next_is_read(tmp_path, line, problem):
    spool, alice = Spool("edge", folder=tmp_path), recurring(ALICE)
    spool.append_all([alice], at=0)
    (file,) = tmp_path.iterdir()
    with file.open("ab") as end:
        end.write(line(file.stem))
    spool.append(recurring(BOB).rest, at=1)
    drain_all(tmp_path)

    assert ["decision.made", "spool.damaged", "decision.made"] == [
        each.kind for each in Entry.objects.order_by("number")
    ]
    assert problem == details()[1]["problem"]
    assert BOB == details()[2]["person"]


@pytest.mark.django_db
def test_a_line_that_names_a_naming_line_is_reported(tmp_path):
    spool, alice = Spool("edge", folder=tmp_path), recurring(ALICE)
    spool.append_all([alice], at=0)
    (file,) = tmp_path.iterdir()
    size = file.stat().st_size
    spool.append_all([alice], at=1)
    with file.open("ab") as end:
        end.write(again(again=[[size, 2]])(file.stem))
    drain_all(tmp_path)

    assert ["decision.made", "decision.made", "spool.damaged"] == [
        each.kind for each in Entry.objects.order_by("number")
    ]


@pytest.mark.django_db
def test_a_place_that_is_wrong_costs_nothing_but_itself(tmp_path):
    spool, made = Spool("edge", folder=tmp_path), {person: recurring(person) for person in (ALICE, BOB, CAROL)}
    for at in range(3):
        spool.append_all([*made.values()], at=at)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes().replace(b'"person":"bob@', b'"person";"bob@'))
    drain_all(tmp_path)
    entries = zip(Entry.objects.order_by("number"), details(), strict=True)
    found = [said.get("person", "damaged") for _, said in entries]

    assert [ALICE, "damaged", CAROL, *[ALICE, CAROL, "damaged"] * 2] == found
    ids = [said["id"].rpartition("-")[2] for said in details() if "id" in said]
    assert ["1", "3", "4", "6", "7", "9"] == ids, "those between were bob's"


@pytest.mark.django_db
def test_a_file_that_was_cut_names_nobody_elses_decision(tmp_path):
    spool, alice, bob = Spool("edge", folder=tmp_path), recurring(ALICE), recurring(BOB)
    spool.append_all([alice], at=0)
    drain_all(tmp_path)
    (file,) = tmp_path.iterdir()
    with file.open("rb+") as cut:
        cut.truncate(0)
    spool.append_all([bob], at=1)
    spool.append_all([alice, bob], at=2)
    drain_all(tmp_path)

    entries = zip(Entry.objects.order_by("number"), details(), strict=True)
    made = {(said["person"], each.at.timestamp()) for each, said in entries if each.kind == "decision.made"}
    assert (ALICE, 0.0) in made
    assert made <= {(ALICE, 0.0), (BOB, 1.0), (ALICE, 2.0), (BOB, 2.0)}
    assert Entry.objects.filter(kind="spool.damaged").exists()
