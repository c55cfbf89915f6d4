"""The sequencer moves each decision once, in order, and hides nothing that it cannot read."""

import fcntl
import json
import os
from typing import Any

import pytest
from django.core.management import call_command

from audit.models import Entry, SpoolPosition
from audit.sequencer import KEPT_BYTES, drain_once
from audit.spool import LONGEST_LINE, Spool
from audit.verify import verify_book

pytestmark = pytest.mark.django_db


def drain_all(folder) -> int:
    total = 0
    while appended := drain_once(folder=folder):
        total += appended
    return total


def details() -> list[dict[str, Any]]:
    return [json.loads(detail) for detail in Entry.objects.order_by("number").values_list("detail", flat=True)]


def test_a_decision_becomes_an_entry(tmp_path, decision):
    noted = Spool("edge", folder=tmp_path)
    noted.note(**decision)

    assert 1 == drain_once(folder=tmp_path)
    entry = Entry.objects.get()
    assert ("decision.made", "allow", 7) == (entry.kind, entry.effect, entry.revision)
    assert ("alice@example.com", "search") == (entry.subject, entry.target)
    assert ("person", "alice@example.com", "192.0.2.1") == (entry.actor_kind, entry.actor, entry.address)
    assert decision["at"] == entry.at.timestamp()
    (detail,) = details()
    assert detail.pop("id").startswith("edge-")
    assert {name: value for name, value in decision.items() if name != "at"} == detail


def test_a_stranger_has_no_name(tmp_path, decision):
    Spool("edge", folder=tmp_path).note(**decision | {"person": "", "effect": "sign-in"})
    drain_all(tmp_path)
    entry = Entry.objects.get()

    assert ("stranger", "", "sign-in") == (entry.actor_kind, entry.actor, entry.effect)


def test_decisions_of_a_process_keep_their_order_and_come_once(tmp_path, decision):
    noted = Spool("edge", folder=tmp_path)
    for n in range(30):
        noted.note(**decision | {"url": str(n)})

    assert [7, 7, 7, 7] == [drain_once(7, folder=tmp_path) for _ in range(4)]
    assert 2 == drain_all(tmp_path)
    assert 0 == drain_all(tmp_path)
    assert [str(n) for n in range(30)] == [detail["url"] for detail in details()]
    assert verify_book().broken is None


def test_a_busy_file_does_not_keep_the_others_waiting(tmp_path, decision):
    busy, quiet = Spool("a", folder=tmp_path), Spool("z", folder=tmp_path)
    for _ in range(50):
        busy.note(**decision)
    drain_once(5, folder=tmp_path)
    quiet.note(**decision | {"person": "bob@example.com"})
    drain_once(5, folder=tmp_path)

    assert 1 == Entry.objects.filter(subject="bob@example.com").count()


def test_hostile_texts_reach_the_book_as_they_were(tmp_path, decision):
    texts = [
        "a\nb\r\n",
        "\x00",
        "\udc80 \ud800",
        '"}\n{"id":"forged"',
        "\u2028\u202e",
        "😀é",
        "\\u0000",
        "'; DROP TABLE",
    ]
    noted = Spool("edge", folder=tmp_path)
    for text in texts:
        noted.note(**decision | dict.fromkeys(("person", "target", "tool", "address", "url"), text))
    drain_all(tmp_path)

    assert texts == [detail["url"] for detail in details()] == [detail["person"] for detail in details()]
    assert verify_book().broken is None


def test_a_file_is_kept_while_its_writer_lives_and_deleted_when_it_is_drained(tmp_path, decision):
    noted = Spool("edge", folder=tmp_path)
    noted.note(**decision)
    drain_all(tmp_path)
    assert 1 == len(list(tmp_path.iterdir())) == SpoolPosition.objects.count()
    noted.note(**decision)
    noted.close()
    drain_once(folder=tmp_path)
    assert 1 == len(list(tmp_path.iterdir())), "what was just read is not yet committed"
    drain_once(folder=tmp_path)

    assert [] == list(tmp_path.iterdir())
    assert 0 == SpoolPosition.objects.count()
    assert 2 == Entry.objects.count()


def test_an_empty_file_without_a_writer_is_deleted(tmp_path):
    Spool("edge", folder=tmp_path).close()
    drain_all(tmp_path)

    assert [] == list(tmp_path.iterdir())


def test_a_torn_last_line_waits_for_a_living_writer(tmp_path, decision):
    noted = Spool("edge", folder=tmp_path)
    noted.note(**decision)
    (file,) = tmp_path.iterdir()
    with file.open("ab") as end:
        end.write(b'{"id":"')

    assert 1 == drain_all(tmp_path)
    assert 0 == drain_all(tmp_path)


def test_a_line_torn_after_any_of_its_bytes_is_told_as_torn_and_costs_nothing_before_it(tmp_path, decision):
    noted = Spool("edge", folder=tmp_path)
    noted.note(**decision)
    noted.close()
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for size in range(1, len(whole)):
        torn = tmp_path / f"{file.stem[:-4]}{size:04}.spool"
        told = whole.replace(file.stem.encode(), torn.stem.encode())
        torn.write_bytes(told + told[:size])  # the writer never acknowledged the second
    file.unlink()
    drain_all(tmp_path)

    assert len(whole) - 1 == Entry.objects.filter(kind="decision.made").count()
    torn = Entry.objects.exclude(kind="decision.made")
    assert {("spool.torn", "system", "sequencer")} == set(torn.values_list("kind", "actor_kind", "actor"))
    found = {(each["length"], each["offset"]) for each in details() if "length" in each}
    assert {(size, len(whole)) for size in range(1, len(whole))} == found
    assert all(len(bytes.fromhex(each["hex"])) == each["length"] for each in details() if "length" in each)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "end",
    [
        b"x",
        b'{"id":"edge-1-0-',
        b'{"id":"portal-',
        b"[",
        b"x" * LONGEST_LINE,
        b'{"id":"FILE-7","revision":\0\0\0\0',
        b'{"id":"FILE-x',
        b'{"id":"FILE-\xff\xfe',
        b'{"id":"FILE-7","at":1}J',
    ],
    ids=[
        "a letter",
        "another file's",
        "another role's",
        "another kind of JSON",
        "longer than any line",
        "zeros behind a beginning",
        "a number that is none",
        "no text",
        "a whole line whose newline is another byte",
    ],
)
def test_an_end_that_no_writer_of_the_file_began_is_damage(tmp_path, decision, end):
    noted = Spool("edge", folder=tmp_path)
    noted.note(**decision)
    noted.close()
    (file,) = tmp_path.iterdir()
    end = end.replace(b"FILE", file.stem.encode())
    with file.open("ab") as more:
        more.write(end)
    drain_all(tmp_path)

    assert ["decision.made", "spool.damaged"] == list(Entry.objects.order_by("number").values_list("kind", flat=True))
    assert ("it has no end", len(end)) == (details()[1]["problem"], details()[1]["length"])


@pytest.mark.parametrize("junk", [b"\n", b"\x00" * 5000 + b"\n", b"{}\n", b"\xff\xfe\n", b"[" * 50_000 + b"\n"])
def test_a_line_that_is_no_decision_is_reported_and_the_next_is_read(tmp_path, decision, junk):
    noted = Spool("edge", folder=tmp_path)
    (file,) = tmp_path.iterdir()
    with file.open("ab") as end:
        end.write(junk)
    noted.note(**decision)
    drain_all(tmp_path)

    assert ["spool.damaged", "decision.made"] == list(Entry.objects.order_by("number").values_list("kind", flat=True))
    damage = details()[0]
    assert junk[:KEPT_BYTES].hex() == damage["hex"]
    assert len(junk) == damage["length"]


def test_a_line_without_an_end_cannot_fill_the_memory(tmp_path, decision):
    noted = Spool("edge", folder=tmp_path)
    (file,) = tmp_path.iterdir()
    with file.open("ab") as end:
        end.write(b"x" * (2 * LONGEST_LINE + 10) + b"\n")
    noted.note(**decision)
    drain_all(tmp_path)

    assert [LONGEST_LINE, LONGEST_LINE, 11] == [detail.get("length") for detail in details()[:3]]
    assert "decision.made" == Entry.objects.get(number=4).kind


def test_a_file_that_was_cut_is_reported_and_what_follows_is_read(tmp_path, decision):
    noted = Spool("edge", folder=tmp_path)
    for _ in range(3):
        noted.note(**decision)
    drain_all(tmp_path)
    (file,) = tmp_path.iterdir()
    os.truncate(file, 0)
    noted.note(**decision | {"url": "after"})
    drain_all(tmp_path)

    assert ["decision.made"] * 3 + ["spool.damaged"] == list(
        Entry.objects.order_by("number").values_list("kind", flat=True)[:4]
    )


def test_what_is_no_spool_is_left_alone(tmp_path):
    (tmp_path / "edge-1-0.new").write_bytes(b"being born")
    (tmp_path / "notes.txt").write_bytes(b"somebody's")
    (tmp_path / "link.spool").symlink_to(tmp_path / "notes.txt")

    assert 0 == drain_once(folder=tmp_path)
    assert 3 == len(list(tmp_path.iterdir()))


def test_the_command_drains_once_from_the_folder_of_the_settings(tmp_path, decision, settings, capsys):
    settings.AUDIT_SPOOL_DIR, settings.AUDIT_SPOOL_ROTATE, settings.AUDIT_SPOOL_LIMIT = str(tmp_path), 1000, 10_000
    noted = Spool("edge")
    for _ in range(10):
        noted.note(**decision)
    noted.close()
    call_command("drain_spool", "--once")

    assert "10 entries\n" == capsys.readouterr().out
    assert [] == list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_yet_has_nothing_to_drain(tmp_path):
    assert 0 == drain_once(folder=tmp_path / "spool")


def test_a_file_whose_writer_holds_it_is_not_deleted_whatever_is_in_it(tmp_path):
    file = tmp_path / "edge-1-0.spool"
    with file.open("wb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        drain_all(tmp_path)
        assert file.exists()
    drain_all(tmp_path)

    assert not file.exists()
