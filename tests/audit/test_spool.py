"""A noted decision is one line, whole and safe, or an error."""

import fcntl
import json
import os
import stat
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import spool
from audit.events import DecisionMade
from audit.lines import NotADecision, parse
from audit.spool import LONGEST_LINE, LONGEST_TEXT, Spool, SpoolUnavailable
from tests.run.examples import examples

TEXTS = ("effect", "rule", "code", "person", "credential", "action", "target", "tool", "address", "url", "dialect")
GOLDEN = (
    b'"at":1760000000250000,"url":"https://mcp.example.com/search","revision":7,"effect":"allow",'
    b'"rule":"a_grant_opens_the_door","code":"granted","person":"alice@example.com","credential":"session",'
    b'"action":"call","target":"search","tool":"query","address":"192.0.2.1","dialect":"nginx"}\n'
)


def lines(folder: Path) -> list[bytes]:
    """Return every line of every spool in a folder."""
    return [line for file in sorted(folder.glob("*.spool")) for line in file.read_bytes().splitlines(keepends=True)]


def told(line: bytes) -> DecisionMade:
    """Return the one decision that a line tells."""
    ((_, decision),) = parse(line, nothing_earlier)
    return decision


def nothing_earlier(_place: int) -> DecisionMade:
    """Know of no decision."""
    raise NotADecision("nothing was told before")


def test_a_golden_line(tmp_path, decision):
    Spool("edge", folder=tmp_path).note(**decision)
    (file,) = tmp_path.iterdir()
    (line,) = lines(tmp_path)

    assert f'{{"id":"{file.stem}-1",'.encode() + GOLDEN == line
    assert f"edge-{os.getpid()}-" == file.stem[:-16]
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


def test_a_decision_is_written_by_one_write(tmp_path, decision, monkeypatch):
    writes: list[bytes] = []
    real = os.write

    def watched(fd: int, data: bytes) -> int:
        writes.append(data)
        return real(fd, data)

    noted = Spool("edge", folder=tmp_path)
    monkeypatch.setattr(os, "write", watched)
    noted.note(**decision)

    assert lines(tmp_path) == writes


def test_noting_a_decision_stays_within_its_budget(tmp_path, decision, monkeypatch):
    """One system call, and fewer calls of functions than a line has fields twice over; bench/ says what that takes."""
    calls: list[str] = []

    def called(_frame, kind, what):
        if kind in {"call", "c_call"}:
            calls.append(f"{what.__module__}.{what.__name__}" if kind == "c_call" else "python")

    monkeypatch.setattr(spool, "CHECK_EVERY", 3600.0)
    noted = Spool("edge", folder=tmp_path)
    noted.note(**decision)
    sys.setprofile(called)
    noted.note(**decision)
    sys.setprofile(None)

    assert ["posix.write"] == [each for each in calls if each.startswith("posix.")]
    assert len(calls) < 2 * len(decision)


def test_a_spool_that_nobody_holds_leaves_its_file_to_the_sequencer(tmp_path, decision):
    Spool("edge", folder=tmp_path).note(**decision)
    (file,) = tmp_path.iterdir()
    with file.open("rb") as reader:
        fcntl.flock(reader, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_two_spools_of_one_process_share_neither_file_nor_ids(tmp_path, decision):
    one, other = Spool("edge", folder=tmp_path), Spool("edge", folder=tmp_path)
    one.note(**decision)
    other.note(**decision)
    one.note(**decision)

    assert 2 == len(list(tmp_path.iterdir()))
    assert 3 == len({json.loads(line)["id"] for line in lines(tmp_path)})


@settings(max_examples=examples(200))
@given(st.fixed_dictionaries({name: st.text(st.characters(), max_size=40) for name in TEXTS}))
def test_whatever_a_caller_sends_is_one_line_that_reads_back_as_it_was(texts):
    with tempfile.TemporaryDirectory() as folder:
        noted = Spool("edge", folder=Path(folder))
        noted.note(at=0, revision=0, **texts)
        noted.close()
        (line,) = lines(Path(folder))

    decision = told(line)
    assert {name: paired(text) for name, text in texts.items()} == {name: getattr(decision, name) for name in TEXTS}


def paired(text: str) -> str:
    """Join surrogates that stand side by side, as JSON does: they are one character spelled as two."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("text", ["x" * 100_000, "\x00" * 3000, "😀" * 3000])
def test_a_long_text_is_cut(tmp_path, decision, name, text):
    Spool("edge", folder=tmp_path).note(**decision | {name: text})
    (line,) = lines(tmp_path)

    assert decision | {name: text[:LONGEST_TEXT]} == {each: getattr(told(line), each, None) for each in decision} | {
        "at": decision["at"]
    }


def test_the_longest_line_of_all_is_within_its_bound(tmp_path, decision):
    Spool("edge", folder=tmp_path).note(**decision | dict.fromkeys(TEXTS, "😀" * 10_000))
    (line,) = lines(tmp_path)

    assert len(line) < LONGEST_LINE
    assert "😀" * LONGEST_TEXT == told(line).url


def test_a_full_file_is_followed_by_another(tmp_path, decision):
    noted = Spool("edge", folder=tmp_path, rotate=1000)
    for _ in range(10):
        noted.note(**decision)

    assert 10 == len(lines(tmp_path)) == len({told(line).id for line in lines(tmp_path)})
    assert len(list(tmp_path.iterdir())) in {3, 4}
    assert all(file.stat().st_size < 1500 for file in tmp_path.iterdir())


def test_threads_of_a_process_lose_nothing_and_tear_nothing(tmp_path, decision):
    noted = Spool("edge", folder=tmp_path, rotate=5000)

    def work(worker: int) -> None:
        for n in range(300):
            noted.note(**decision | {"url": f"{worker}/{n}"})

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    decisions = [told(line) for line in lines(tmp_path)]
    assert {f"{worker}/{n}" for worker in range(6) for n in range(300)} == {each.url for each in decisions}
    assert 1800 == len(decisions) == len({each.id for each in decisions})


def test_a_full_folder_denies_until_it_is_drained(tmp_path, decision, monkeypatch):
    monkeypatch.setattr(spool, "CHECK_EVERY", 0.0)
    noted = Spool("edge", folder=tmp_path, limit=1000, rotate=600)
    with pytest.raises(SpoolUnavailable, match="holds more than 1000 bytes"):  # noqa: PT012  at some decision
        for _ in range(10):
            noted.note(**decision)
    with pytest.raises(SpoolUnavailable):
        noted.note(**decision)
    with pytest.raises(SpoolUnavailable):
        Spool("edge", folder=tmp_path, limit=1000)
    for file in sorted(tmp_path.glob("*.spool")):
        file.unlink()
    noted.note(**decision)

    assert 1 == len(lines(tmp_path))


def test_a_full_folder_is_looked_at_once_a_second_and_not_by_every_decision(tmp_path, decision, monkeypatch):
    looks: list[Path] = []
    real = os.scandir

    def watched(folder: Path) -> object:
        looks.append(folder)
        return real(folder)

    monkeypatch.setattr(os, "scandir", watched)
    noted = Spool("edge", folder=tmp_path, limit=1000, rotate=600)
    monkeypatch.setattr(spool, "CHECK_EVERY", 3600.0)
    noted.close()  # the next file is asked for, and with it the folder is looked at
    refused = 0
    for _ in range(100):
        try:
            noted.note(**decision)
        except SpoolUnavailable:
            refused += 1

    assert refused > 90
    assert len(looks) < 5


def test_a_deleted_file_is_noticed_within_a_second(tmp_path, decision, monkeypatch):
    monkeypatch.setattr(spool, "CHECK_EVERY", 0.0)
    noted = Spool("edge", folder=tmp_path)
    for file in tmp_path.iterdir():
        file.unlink()
    noted.note(**decision)

    assert 1 == len(lines(tmp_path))


def test_a_folder_that_cannot_be_made_denies(tmp_path, decision):
    (tmp_path / "taken").write_text("a file")

    with pytest.raises(SpoolUnavailable):
        Spool("edge", folder=tmp_path / "taken" / "spool")


def test_a_role_cannot_name_a_file_elsewhere(tmp_path, decision):
    Spool("../../evil role", folder=tmp_path).note(**decision)
    (file,) = tmp_path.iterdir()

    assert file.name.startswith("evilrole-")


@pytest.mark.parametrize("wrong", [{"person": None}, {"revision": "7"}, {"at": float("nan")}, {"at": None}])
def test_what_is_no_decision_is_refused_and_writes_nothing(tmp_path, decision, wrong):
    noted = Spool("edge", folder=tmp_path)
    with pytest.raises((TypeError, ValueError)):
        noted.note(**decision | wrong)

    assert [] == lines(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said | {"more": 1},
        lambda said: {name: value for name, value in said.items() if name != "rule"},
        lambda said: said | {"at": 1.5},
        lambda said: said | {"at": True},
        lambda said: said | {"at": 10**30},
        lambda said: said | {"revision": -1},
        lambda said: said | {"revision": 2**63},
        lambda said: said | {"person": None},
        lambda said: said | {"tool": 1},
        lambda said: [said],
    ],
)
def test_a_line_that_says_something_else_is_no_decision(tmp_path, decision, change):
    Spool("edge", folder=tmp_path).note(**decision)
    (line,) = lines(tmp_path)

    with pytest.raises(NotADecision):
        told(json.dumps(change(json.loads(line))).encode() + b"\n")


@pytest.mark.parametrize("line", [b"", b"\n", b"{}\n", b"\xff\n", b"[" * 100_000 + b"\n", b"\x00\n", GOLDEN, b"NaN\n"])
def test_bytes_that_are_no_line_are_no_decision(line):
    with pytest.raises(NotADecision):
        told(line)
