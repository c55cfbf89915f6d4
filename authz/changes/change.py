"""What every verb has in common: facts, record, revision and row are written together, or not at all.

`change` takes the next revision first. That row stays locked until the transaction ends, so that changes commit in
the order of their revisions; the head of the audit chain is locked after it, always in this order.
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from audit.context import Actor
from audit.events import Event
from audit.record import Draft as Told
from audit.record import append_many
from authz.changes.lockout import no_lockout
from authz.decisions.facts import Fact, to_json
from authz.models import Change
from authz.signals import changed

TRIM_EVERY = 1000
"""Revisions between two times that what nobody needs any more is taken out of the log."""


@dataclass
class Draft:
    """A change under way: what it says to the book, and what becomes true by it."""

    by: Actor
    revision: int
    mark: str
    """Tells this revision from one of the same number in a history that was lost."""
    events: list[Event] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    kept: bool = False
    """Whether it is committed though it says nothing: rows were written that neither the book nor a World tells of."""

    def say(self, event: Event, *facts: Fact) -> None:
        """Record an event, and the facts that hold from now on."""
        self.events.append(event)
        self.facts.extend(facts)


_open: ContextVar[Draft | None] = ContextVar("open_change", default=None)


@contextmanager
def change(by: Actor) -> Iterator[Draft]:
    """Open a change; a verb called from inside another joins it, so that both happen or neither does."""
    if (outer := _open.get()) is not None:
        yield outer
        return
    with transaction.atomic():
        mark = secrets.token_hex(8)
        draft = Draft(by, _next_revision(mark), mark)
        token = _open.set(draft)
        try:
            with no_lockout(draft.facts):
                yield draft
        finally:
            _open.reset(token)
        if not (draft.events or draft.facts or draft.kept):
            # Nothing changed after all: the revision goes back with the transaction (or its savepoint).
            transaction.set_rollback(True)
            return
        Change.objects.create(
            revision=draft.revision,
            mark=draft.mark,
            facts=json.dumps([to_json(fact) for fact in draft.facts], ensure_ascii=False),
        )
        if draft.revision % TRIM_EVERY == 0:
            Change.objects.filter(revision__lte=draft.revision - settings.AUTHZ_CHANGE_LOG_KEPT).delete()
        now = timezone.now()
        append_many([Told(event=event, by=by, at=now, revision=draft.revision) for event in draft.events])
        transaction.on_commit(lambda: changed.send(sender=change, revision=draft.revision), robust=True)


@contextmanager
def attempt(by: Actor) -> Iterator[Draft]:
    """Open a change, or a part of one that is under way: if the part fails, what it wrote and said is taken back.

    So whoever asked for the part may go on without it.
    """
    outer = _open.get()
    if outer is None:
        with change(by) as draft:
            yield draft
        return
    events, facts, kept = len(outer.events), len(outer.facts), outer.kept
    try:
        with transaction.atomic():
            yield outer
    except BaseException:
        del outer.events[events:], outer.facts[facts:]
        outer.kept = kept
        raise


def _next_revision(mark: str) -> int:
    """Return the revision of this transaction; PostgreSQL and SQLite both know RETURNING."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE authz_revision SET n = n + 1, mark = %s RETURNING n", [mark])
        (number,) = cursor.fetchone()
    return int(number)
