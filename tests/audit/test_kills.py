"""Killed at any instant, the audit log has lost nothing that was acknowledged and holds nothing twice."""

import collections
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from audit.spool import SUFFIX
from tests.patience import HANG, until

rng = random.Random(20260131)  # noqa: S311  when to kill is no secret


def journal(path: Path) -> list[str]:
    """Return what a process acknowledged, as it wrote it down itself."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [line[:-1] for line in lines if line.endswith(".")]


def urls(report) -> list[str]:
    return [each["url"] for each in details(report, "decision.made")]


def details(report, kind: str) -> list[dict[str, Any]]:
    return [each["detail"] for each in report["entries"] if each["kind"] == kind]


def assert_only_torn_ends(report, *, killed: int) -> None:
    """Beside decisions there is only what each writer was killed within, one line at most, and each id once."""
    torn = details(report, "spool.torn")
    assert len(report["entries"]) == len(details(report, "decision.made")) + len(torn)
    assert len(torn) == len({each["file"] for each in torn}) <= killed
    ids = [each["id"] for each in details(report, "decision.made")]
    assert len(ids) == len(set(ids))


def assert_each_once(acknowledged, recorded, *, killed: int) -> None:
    """Of each killed process, one decision may be recorded whose acknowledgement was never written down."""
    twice = [name for name, count in collections.Counter(recorded).items() if count > 1]
    assert [] == twice
    assert set() == set(acknowledged) - set(recorded)
    assert len(recorded) - len(acknowledged) <= killed


def test_a_change_and_its_entry_are_both_there_or_neither_whenever_the_writer_is_killed(scratch, tmp_path):
    acknowledged = tmp_path / "journal"
    for _ in range(5):
        before = len(journal(acknowledged))
        writers = [scratch.start("change", acknowledged) for _ in range(2)]
        until(lambda: len(journal(acknowledged)) > before + 5)  # noqa: B023  called at once
        time.sleep(rng.uniform(0, 0.05))
        for writer in writers:
            writer.kill()
            writer.wait()
    report = scratch.run("report")
    recorded = [each["subject"] for each in report["entries"]]

    assert report["broken"] is None
    assert sorted(report["things"]) == sorted(recorded)
    assert_each_once(journal(acknowledged), recorded, killed=10)


def test_every_acknowledged_decision_of_a_killed_writer_reaches_the_audit_log_once(scratch, tmp_path):
    acknowledged = tmp_path / "journal"
    for _ in range(4):
        before = len(journal(acknowledged))
        writers = [scratch.start("note", scratch.spool, acknowledged) for _ in range(2)]
        until(lambda: len(journal(acknowledged)) > before + 50)  # noqa: B023  called at once
        time.sleep(rng.uniform(0, 0.01))
        for writer in writers:
            writer.kill()
            writer.wait()
    report = scratch.run("report")

    assert report["broken"] is None
    assert_each_once(journal(acknowledged), urls(report), killed=8)
    assert_only_torn_ends(report, killed=8)
    assert [] == list(scratch.spool.glob(f"*{SUFFIX}"))


def test_every_acknowledged_repetition_of_a_killed_writer_reaches_the_audit_log_once(scratch, tmp_path):
    acknowledged = tmp_path / "journal"
    for _ in range(4):
        before = len(journal(acknowledged))
        writer = scratch.start("note_again", scratch.spool, acknowledged)
        until(lambda: len(journal(acknowledged)) > before + 2000)  # noqa: B023  called at once
        time.sleep(rng.uniform(0, 0.01))
        writer.kill()
        writer.wait()
    report = scratch.run("report")
    acked, found = collections.Counter(journal(acknowledged)), collections.Counter(urls(report))

    assert report["broken"] is None
    assert collections.Counter() == acked - found
    assert sum((found - acked).values()) <= 4 * 7, "one batch of each killed writer may lack its acknowledgement"
    assert_only_torn_ends(report, killed=4)


def test_a_sequencer_killed_again_and_again_loses_and_repeats_nothing(scratch):
    scratch.run("note_some", scratch.spool, 3000)
    for _ in range(8):
        sequencer = scratch.start("drain", 3)
        assert "draining\n" == sequencer.stdout.readline()
        time.sleep(rng.uniform(0, 0.35))
        sequencer.kill()
        sequencer.wait()
    report = scratch.run("report")

    assert report["broken"] is None
    assert [str(n) for n in range(3000)] == sorted(urls(report), key=int)
    assert [] == list(scratch.spool.iterdir())


def test_two_sequencers_and_a_writer_at_once_lose_and_repeat_nothing(scratch, tmp_path):
    acknowledged = tmp_path / "journal"
    writer = scratch.start("note", scratch.spool, acknowledged, 5000)
    sequencers = [scratch.start("drain", 50) for _ in range(2)]
    for sequencer in sequencers:
        assert "draining\n" == sequencer.stdout.readline()
    before = len(journal(acknowledged))
    until(lambda: len(journal(acknowledged)) > before + 1000)
    writer.kill()
    writer.wait()
    time.sleep(rng.uniform(0.2, 0.6))
    for sequencer in sequencers:
        assert sequencer.poll() is None, sequencer.communicate()[1]
        sequencer.kill()
        sequencer.wait()
    report = scratch.run("report")

    assert report["broken"] is None
    assert_each_once(journal(acknowledged), urls(report), killed=1)


@pytest.mark.parametrize("room", [0, 1, 100, 1000, 1500])
def test_a_disk_that_takes_no_more_denies_and_the_torn_end_is_reported(scratch, room):
    outcome = scratch.run("note_on_a_full_disk", scratch.spool, room)
    report = scratch.run("report")
    noted = [n for n, said in outcome.items() if said == "noted"]
    torn = [n for n, said in outcome.items() if said == "the spool took only a part of a decision"]
    refused = [n for n, said in outcome.items() if "cannot be written" in said]

    assert 20 == len(noted) + len(torn) + len(refused)
    assert sorted(noted) == sorted(urls(report))
    assert len(torn) == len(details(report, "spool.torn"))
    assert [] == details(report, "spool.damaged")
    assert bool(torn) == bool(room)
    assert (room < 1000) == ([str(n) for n in range(10, 20)] == noted)
    assert {str(n) for n in range(10, 20)} <= set(noted)


def test_a_child_that_was_forked_writes_a_file_of_its_own(scratch):
    scratch.run("fork", scratch.spool)
    files = sorted(scratch.spool.iterdir())
    report = scratch.run("report")

    assert 2 == len(files) == len({file.name.split("-")[1] for file in files})
    assert ["child", "parent after", "parent before"] == sorted(urls(report))
    assert 3 == len({each["detail"]["id"] for each in report["entries"]})


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_command_drains_until_it_is_told_to_stop(scratch, end):
    scratch.run("note_some", scratch.spool, 300)
    sequencer = scratch.start("sequencer")
    until(lambda: not list(scratch.spool.iterdir()))
    sequencer.send_signal(end)
    sequencer.communicate(timeout=HANG)

    assert 0 == sequencer.returncode
    assert 300 == len(urls(scratch.run("report")))


def test_a_database_that_goes_away_is_waited_for(scratch):
    scratch.run("note_some", scratch.spool, 10)
    outage = scratch.start("outage")
    _, err = outage.communicate(timeout=HANG)

    assert 0 == outage.returncode
    assert "the spools could not be drained; next try in" in err
    assert 10 == len(urls(scratch.run("report")))
