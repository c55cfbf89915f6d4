"""verify_audit names the first broken entry, and whatever else is not as it was written."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from audit import guard
from audit.chain import link
from audit.context import Actor
from audit.events import PersonCreated
from audit.models import Entry, Head
from audit.record import Draft, append_many
from audit.verify import verify_book


@pytest.fixture
def book(db, monkeypatch):
    """Write ten entries, and lift the guard as only the owner of the database can."""
    monkeypatch.setattr("audit.verify.PAGE", 4)  # several pages of a short book
    drafts = [
        Draft(event=PersonCreated(person=f"p{n}@example.com"), by=Actor.command("test"), at=timezone.now())
        for n in range(1, 11)
    ]
    append_many(drafts)
    guard.remove(connection)


def broken_number(start: int = 1) -> int:
    broken = verify_book(start).broken
    assert broken is not None
    return broken.number


def owner_runs(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def hash_anew(first: int, *, head: bool = False) -> None:
    """Change an entry and hash it and all that follow anew, as a patient forger would."""
    previous = bytes.fromhex(Entry.objects.get(number=first).previous_hash)
    for entry in Entry.objects.filter(number__gte=first).order_by("number"):
        entry.subject = f"mallory{entry.number}@example.com"
        forged = link(previous, entry.content()).hex()
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE audit_entry SET subject = %s, previous_hash = %s, hash = %s WHERE number = %s",
                [entry.subject, previous.hex(), forged, entry.number],
            )
        previous = bytes.fromhex(forged)
    if head:
        Head.objects.update(hash=previous.hex())


def test_a_sound_book_is_said_to_be_sound(book, capsys):
    call_command("verify_audit")

    assert f"10 entries, chain intact, head {Head.objects.get().hash}\n" == capsys.readouterr().out


@pytest.mark.django_db
def test_an_empty_book_is_sound(capsys):
    call_command("verify_audit")

    assert capsys.readouterr().out.startswith("0 entries, chain intact")


@pytest.mark.parametrize("start", [1, 2, 5, 10, 11])
def test_a_part_of_a_sound_book_is_sound(book, start):
    found = verify_book(start)

    assert (11 - start, None) == (found.entries, found.broken)


@pytest.mark.parametrize("start", ["0", "-3", "12"])
def test_a_walk_begins_inside_the_book(book, start):
    with pytest.raises(CommandError):
        call_command("verify_audit", f"--from={start}")


@pytest.mark.parametrize(
    ("statement", "number", "problem"),
    [
        ("UPDATE audit_entry SET subject = 'mallory' WHERE number = 6", 6, "content is not what"),
        ("UPDATE audit_entry SET actor = '' WHERE number = 1", 1, "content is not what"),
        ("UPDATE audit_entry SET at = '2020-01-01 00:00:00' WHERE number = 10", 10, "content is not what"),
        ("UPDATE audit_entry SET revision = 0 WHERE number = 4", 4, "content is not what"),
        ("UPDATE audit_entry SET detail = '{ }' WHERE number = 5", 5, "content is not what"),
        ("UPDATE audit_entry SET hash = upper(hash) WHERE number = 3", 3, "content is not what"),
        ("UPDATE audit_entry SET hash = 'no hash' WHERE number = 3", 3, "content is not what"),
        ("UPDATE audit_entry SET previous_hash = hash WHERE number = 3", 3, "content is not what"),
        ("UPDATE audit_entry SET number = 99 WHERE number = 7", 7, "entry 8 stands in its place"),
        ("DELETE FROM audit_entry WHERE number = 1", 1, "entry 2 stands in its place"),
        ("DELETE FROM audit_entry WHERE number = 4", 4, "entry 5 stands in its place"),
        ("DELETE FROM audit_entry WHERE number > 4 AND number < 9", 5, "entry 9 stands in its place"),
        ("DELETE FROM audit_entry WHERE number = 10", 10, "the head tells of 10 entries"),
        ("DELETE FROM audit_entry WHERE number > 3", 4, "the head tells of 10 entries"),
        ("DELETE FROM audit_entry", 1, "the head tells of 10 entries"),
        ("DELETE FROM audit_head", 1, "the head does not know it"),
        ("UPDATE audit_head SET number = 9", 10, "the head does not know it"),
        ("UPDATE audit_head SET hash = 'ff'", 10, "not the one the head has"),
    ],
)
def test_an_edit_is_found_and_the_first_broken_entry_named(book, capsys, statement, number, problem):
    owner_runs(statement)

    with pytest.raises(SystemExit) as exit_:
        call_command("verify_audit")

    assert 1 == exit_.value.code
    out = capsys.readouterr().out
    assert out.startswith(f"BROKEN at entry {number}: ")
    assert problem in out


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL lets only a moment stand for a moment")
@pytest.mark.parametrize("value", ["'yesterday'", "'2026-13-45 00:00:00'", "x'00ff'", "12.5"])
def test_a_moment_that_is_none_is_named(book, value):
    owner_runs(f"UPDATE audit_entry SET at = {value} WHERE number = 7")  # noqa: S608  the test's own values

    assert 7 == broken_number()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL lets only text stand for text")
def test_bytes_that_stand_for_a_text_are_named(book):
    owner_runs("UPDATE audit_entry SET detail = x'00ff' WHERE number = 7")

    assert 7 == broken_number()


def test_two_entries_that_changed_places_are_found(book):
    owner_runs(
        "UPDATE audit_entry SET number = 1003 WHERE number = 3",
        "UPDATE audit_entry SET number = 3 WHERE number = 8",
        "UPDATE audit_entry SET number = 8 WHERE number = 1003",
    )

    assert 3 == broken_number()


@pytest.mark.parametrize("first", [1, 5, 10])
def test_a_book_hashed_anew_without_its_head_is_found_at_its_end(book, first):
    hash_anew(first)

    assert "entry 10: its hash is not the one the head has: the end of the book was hashed anew" == str(
        verify_book().broken
    )


def test_a_book_hashed_anew_with_its_head_is_not_found(book):
    """The honest limit of a chain that lives in one database: only a seal kept elsewhere could tell."""
    hash_anew(5, head=True)

    assert verify_book().broken is None


def test_entries_added_behind_the_head_are_found(book):
    last = Entry.objects.get(number=10)
    last.number, last.previous_hash = 11, last.hash
    last.hash = link(bytes.fromhex(last.previous_hash), last.content()).hex()
    Entry.objects.bulk_create([last])

    assert "entry 11: the head does not know it: it was added past the sequencer" == str(verify_book().broken)


def test_what_lies_before_the_start_is_believed(book):
    owner_runs("UPDATE audit_entry SET subject = 'mallory' WHERE number = 3")

    assert verify_book(5).broken is None
    assert 3 == broken_number(3)
