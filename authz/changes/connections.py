"""Live connections: hang up; and the roster that their processes keep, which is no change of any right."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from audit import events
from audit.context import Actor
from authz.changes.change import change
from authz.changes.edits import assign
from authz.decisions.facts import HangUp
from authz.lookups import facts
from authz.models import Connection, Server, SocketProcess, User

ROWS_AT_ONCE = 500
FORGOTTEN_AFTER = timedelta(minutes=1)
"""A process that has not been heard of for so long is gone, and its rows with it."""


class Opened(NamedTuple):
    """A connection that a process has opened; moments are seconds since the epoch."""

    id: str
    kind: str
    person: int
    server: int
    """0 for none."""
    credential: str
    address: str
    origin: str
    opened: float
    ends: float
    because: str


class Moved(NamedTuple):
    """How a connection is now."""

    id: str
    received: int
    sent: int
    ends: float
    because: str


def hang_up(connection: Connection, *, by: Actor, because: str) -> None:
    """End a connection, wherever it is held."""
    with change(by) as draft:
        row = Connection.objects.select_related("person").filter(pk=connection.pk, hung_up=None).first()
        if row is not None:
            assign(row, {"hung_up": draft.revision})
            draft.say(
                events.ConnectionHungUp(person=row.person.email, connection=row.pk, reason=because), facts.hang_up(row)
            )


def hang_up_all(person: User, *, by: Actor, because: str) -> None:
    """End every connection that somebody has now, wherever it is held, also one that the roster does not know yet."""
    with change(by) as draft:
        # Of all the person's connections this row tells, also of one that the roster does not know yet.
        User.objects.filter(pk=person.pk).update(hung_up=draft.revision)
        Connection.objects.filter(person=person, hung_up=None).update(hung_up=draft.revision)
        draft.say(events.ConnectionsHungUp(person=person.email, reason=because), HangUp(person.pk, "", draft.revision))


def note(process: str, *, opened: Iterable[Opened], moved: Sequence[Moved], closed: Sequence[str]) -> None:
    """Write down what became of a process's connections since the last time, and that it is alive."""
    now = timezone.now()
    with transaction.atomic():
        SocketProcess.objects.update_or_create(name=process, defaults={"seen_at": now})
        rows = [_row(process, each) for each in opened]
        # Somebody who was removed meanwhile, or a server that was, has no connection for longer than a moment.
        people = set(User.objects.filter(pk__in={row.person_id for row in rows}).values_list("pk", flat=True))
        servers = set(Server.objects.filter(pk__in={row.server_id for row in rows}).values_list("pk", flat=True))
        known = [row for row in rows if row.person_id in people and row.server_id in {None, *servers}]
        Connection.objects.bulk_create(known, batch_size=ROWS_AT_ONCE, ignore_conflicts=True)
        for start in range(0, len(closed), ROWS_AT_ONCE):
            Connection.objects.filter(pk__in=closed[start : start + ROWS_AT_ONCE]).delete()
        Connection.objects.bulk_update(
            [
                Connection(
                    id=each.id, received=each.received, sent=each.sent, ends_at=_moment(each.ends),
                    ends_because=each.because,
                )
                for each in moved
            ],
            ["received", "sent", "ends_at", "ends_because"],
            batch_size=ROWS_AT_ONCE,
        )  # fmt: skip


def forget(process: str | None = None) -> None:
    """Forget a process that ends, or by default all that have not been heard of for long, and their connections."""
    gone = (
        SocketProcess.objects.filter(seen_at__lt=timezone.now() - FORGOTTEN_AFTER)
        if process is None
        else SocketProcess.objects.filter(name=process)
    )
    with transaction.atomic():
        names = list(gone.values_list("name", flat=True))
        Connection.objects.filter(process__in=names).delete()
        SocketProcess.objects.filter(name__in=names).delete()


def _row(process: str, each: Opened) -> Connection:
    return Connection(
        id=each.id,
        process=process,
        kind=each.kind,
        person_id=each.person,
        server_id=each.server or None,
        credential=each.credential,
        address=each.address,
        origin=each.origin[:300],
        opened_at=_moment(each.opened),
        ends_at=_moment(each.ends),
        ends_because=each.because,
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
