"""A change and its entry are one: in order, without a gap, and final."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from audit import chain, guard
from audit.context import Actor
from audit.events import MembershipGiven, PersonCreated, PersonSuspended
from audit.models import Entry, EntryIsFinal, Head
from audit.record import Draft, HeadIsMissing, NotInTransaction, append_many, record
from audit.verify import verify_book

CAROL = Actor.person("carol@example.com", address="192.0.2.7")
MORNING = datetime(2026, 1, 31, 9, 30, 0, 123456, tzinfo=UTC)


def given() -> Entry:
    return record(MembershipGiven(person="alice@example.com", group="interns"), by=CAROL, revision=7, at=MORNING)


@pytest.mark.django_db
def test_an_entry_says_who_did_what_to_whom():
    number = given().number
    entry = Entry.objects.get(number=number)

    assert (1, MORNING, 7, "") == (entry.number, entry.at, entry.revision, entry.effect)
    assert ("membership.given", "alice@example.com", "interns") == (entry.kind, entry.subject, entry.target)
    assert ("person", "carol@example.com", "192.0.2.7") == (entry.actor_kind, entry.actor, entry.address)
    assert {
        "person": "alice@example.com",
        "group": "interns",
        "until": None,
        "reason": "",
        "source": "local",
    } == json.loads(entry.detail)


@pytest.mark.django_db
def test_what_was_hashed_can_be_read_back_byte_for_byte():
    made = given()
    read = Entry.objects.get(number=made.number)

    assert chain.canonical(made.content()) == chain.canonical(read.content())
    assert made.hash == chain.link(chain.GENESIS, read.content()).hex()
    assert "2026-01-31T09:30:00.123456Z" == read.content()["at"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 1, 31, 9, 30, tzinfo=UTC),
        datetime(2026, 1, 31, 9, 30, 0, 1, tzinfo=UTC),
        datetime(2026, 3, 29, 2, 30, 0, 999999, tzinfo=timezone(timedelta(hours=5, minutes=45))),
        datetime(1970, 1, 1, tzinfo=UTC),
    ],
)
def test_a_moment_survives_the_database_to_the_microsecond(at):
    record(PersonCreated(person="alice@example.com"), by=CAROL, at=at)

    assert at == Entry.objects.get().at
    assert verify_book().broken is None


@pytest.mark.django_db
def test_a_moment_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        record(PersonCreated(person="alice@example.com"), by=CAROL, at=datetime(2026, 1, 31))  # noqa: DTZ001  the point


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Zoë 😀", "Zoë 😀"),
        ("a\x00b", "a\\x00b"),
        ("a\udc80b", "a\\udc80b"),
        ("a\nb'\"\\;--", "a\nb'\"\\;--"),
        ("\u202egnp.exe", "\u202egnp.exe"),
        ("x" * 600, "x" * 511 + "…"),
        ("é" * 512, "é" * 512),
        ("😀" * 5000, "😀" * 511 + "…"),
    ],
    ids=["words", "nul", "surrogate", "quotes", "right to left", "long", "longest", "far too long"],
)
def test_a_hostile_name_is_kept_readable_in_its_column_and_exact_in_the_detail(name, kept):
    record(PersonCreated(person=name), by=Actor("person", name, name))
    entry = Entry.objects.get()

    assert kept == entry.subject == entry.actor
    assert name == json.loads(entry.detail)["person"]
    assert verify_book().broken is None


@pytest.mark.django_db
def test_entries_are_numbered_without_a_gap_and_each_follows_the_one_before():
    one = given()
    two, three = append_many([
        Draft(event=PersonCreated(person="bob@example.com"), by=CAROL, at=MORNING),
        Draft(event=PersonSuspended(person="bob@example.com", reason="left"), by=CAROL, at=MORNING),
    ])  # fmt: skip

    assert [1, 2, 3] == [one.number, two.number, three.number]
    assert [chain.GENESIS.hex(), one.hash, two.hash] == [one.previous_hash, two.previous_hash, three.previous_hash]
    assert (3, three.hash) == (Head.objects.get().number, Head.objects.get().hash)
    assert [] == append_many([])


@pytest.mark.django_db
def test_an_entry_that_is_rolled_back_leaves_no_gap():
    given()
    with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012  the error comes after the entry
        given()
        _ = 1 / 0

    assert 2 == given().number
    assert verify_book().broken is None


@pytest.mark.django_db(transaction=True)
def test_nothing_is_recorded_outside_the_transaction_of_its_change():
    with pytest.raises(NotInTransaction):
        given()

    assert not Entry.objects.exists()


@pytest.mark.django_db
def test_a_book_without_its_head_is_not_continued():
    given()
    Head.objects.all().delete()

    with pytest.raises(HeadIsMissing):
        given()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "act",
    [
        lambda entry: entry.save(),
        lambda entry: entry.delete(),
        lambda _: Entry.objects.update(subject="mallory@example.com"),
        lambda _: Entry.objects.all().delete(),
        lambda entry: Entry.objects.bulk_update([entry], ["subject"]),
        lambda _: Entry.objects.create(number=2),
        lambda entry: Entry.objects.update_or_create(number=entry.number, defaults={"subject": "mallory"}),
    ],
    ids=["save", "delete", "update", "delete all", "bulk update", "create", "update or create"],
)
def test_django_will_not_rewrite_an_entry(act):
    entry = given()

    with pytest.raises(EntryIsFinal):
        act(entry)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET subject = 'mallory@example.com'",
        "DELETE FROM audit_entry",
        pytest.param("TRUNCATE audit_entry", id="TRUNCATE (PostgreSQL)"),
    ],
)
def test_the_database_will_not_rewrite_an_entry(statement):
    given()

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert "alice@example.com" == Entry.objects.get().subject


@pytest.mark.django_db(transaction=True)
def test_flushing_a_real_book_is_refused():
    with transaction.atomic():
        given()

    with pytest.raises(CommandError):
        call_command("flush", interactive=False, verbosity=0)

    assert 1 == Entry.objects.count()


@pytest.mark.django_db(transaction=True)
def test_a_test_case_may_flush_and_the_guard_stands_again():
    with transaction.atomic():
        given()
    call_command("flush", interactive=False, verbosity=0, reset_sequences=False, inhibit_post_migrate=True)
    assert not Entry.objects.exists()
    with transaction.atomic():
        assert 1 == given().number

    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_entry")


@pytest.mark.django_db
def test_the_guard_can_be_lifted_and_set_for_a_migration():
    given()
    guard.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_entry")
    guard.install(connection)

    assert not Entry.objects.exists()
