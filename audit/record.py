"""Writes the book: every entry follows the one before it.

Whoever appends holds the head's row until the transaction ends, so that numbers have no gap and commit order is book
order. Lock order: a change takes the revision's row before the head's; the sequencer takes only the head's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils import timezone

from audit import chain
from audit.context import Actor
from audit.events import Event
from audit.models import WIDTH, Entry, Head

CHUNK = 500
"""Rows in one INSERT. Beyond this the statement grows and the time does not shrink."""


class NotInTransaction(RuntimeError):
    """An entry was to be written outside the transaction of the change that it tells of."""


class HeadIsMissing(RuntimeError):
    """The book has entries and no head: somebody removed it, and nothing is appended until that is understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An event that has yet to get its number."""

    event: Event
    by: Actor
    at: datetime
    revision: int | None = None


def record(event: Event, *, by: Actor, revision: int | None = None, at: datetime | None = None) -> Entry:
    """Append one entry within the caller's transaction: the change and its entry are committed together, or neither."""
    return append_many([Draft(event=event, by=by, revision=revision, at=at or timezone.now())])[0]


def append_many(drafts: Sequence[Draft]) -> list[Entry]:
    """Append entries in the order given, within the caller's transaction."""
    if not connection.in_atomic_block:
        raise NotInTransaction("an entry is written inside the transaction of its change")
    if not drafts:
        return []
    head = lock_head()
    previous = bytes.fromhex(head.hash)
    entries = []
    for number, draft in enumerate(drafts, start=head.number + 1):
        entry = _entry(number, draft, previous)
        previous = chain.link(previous, entry.content())
        entry.hash = previous.hex()
        entries.append(entry)
    Entry.objects.bulk_create(entries, batch_size=CHUNK)
    Head.objects.filter(id=1).update(number=entries[-1].number, hash=entries[-1].hash)
    return entries


def lock_head() -> Head:
    """Return the head, locked until the transaction ends; the first caller of all makes it.

    SQLite has no row locks: there the transaction itself is IMMEDIATE, and holds the whole database.
    """
    head = Head.objects.select_for_update().filter(id=1).first()
    if head is None:
        if Entry.objects.exists():
            raise HeadIsMissing("the book has entries and no head; run verify_audit")
        Head.objects.bulk_create([Head()], ignore_conflicts=True)  # two may be first at once
        head = Head.objects.select_for_update().get(id=1)
    return head


def _entry(number: int, draft: Draft, previous: bytes) -> Entry:
    if draft.at.tzinfo is None:
        raise ValueError("the moment of an entry needs a time zone")
    return Entry(
        number=number,
        at=draft.at,
        kind=draft.event.kind,
        actor_kind=_fit("actor_kind", draft.by.kind),
        actor=_fit("actor", draft.by.name),
        address=_fit("address", draft.by.address),
        subject=_fit("subject", draft.event.subject()),
        target=_fit("target", draft.event.other()),
        effect=_fit("effect", draft.event.verdict()),
        revision=draft.revision,
        detail=chain.canonical(draft.event.detail()).decode(),
        previous_hash=previous.hex(),
    )


def _fit(column: str, text: str) -> str:
    r"""Return text that every database can hold: NUL and lone surrogates written as \x00 and \udc80, and cut to fit.

    The detail keeps the value exactly.
    """
    if not text.isascii() or "\x00" in text:
        text = text.replace("\x00", r"\x00").encode("utf-8", "backslashreplace").decode()
    width = WIDTH[column]
    return text if len(text) <= width else text[: width - 1] + "…"
