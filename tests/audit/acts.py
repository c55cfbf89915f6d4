"""What a process of its own does in a test: python acts.py ACT ARGUMENTS; the test kills it where it likes."""

# ruff: noqa: PLC0415, T201  a model can be imported only once Django is set up, and an act answers by printing

import json
import logging
import os
import resource
import sys
import threading
import time
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command
from django.db import connection, transaction

DECISION: dict[str, Any] = {
    "effect": "allow",
    "rule": "a_grant_opens_the_door",
    "code": "granted",
    "person": "alice@example.com",
    "credential": "session",
    "action": "call",
    "target": "search",
    "tool": None,
    "address": "192.0.2.1",
    "revision": 7,
    "dialect": "nginx",
}


def migrate() -> None:
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE thing (name varchar(64) PRIMARY KEY)")


class Journal:
    """What a process writes down that it was acknowledged, whole lines of which survive its being killed."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def add(self, *names: str) -> None:
        # A kill may tear this write as well, and another process may go on after what is torn: a name is one only
        # between its newline and its full stop.
        os.write(self._fd, "".join(f"\n{name}." for name in names).encode())


def note(folder: str, journal: str, rotate: str = "20000") -> None:
    """Note decisions for ever, and write each down in the journal once it is acknowledged."""
    from audit.spool import Spool

    spool = Spool("edge", folder=Path(folder), rotate=int(rotate))
    acknowledged = Journal(journal)
    for n in range(10**9):
        name = f"{os.getpid()}/{n}"
        spool.note(at=time.time(), url=name, **DECISION)
        acknowledged.add(name)


def note_again(folder: str, journal: str, rotate: str = "20000") -> None:
    """Note the same five decisions for ever, several at once, and write down which once they are acknowledged."""
    from audit.spool import Recurring, Spool, about, prepared

    spool = Spool("edge", folder=Path(folder), rotate=int(rotate))
    acknowledged = Journal(journal)
    names = [f"{os.getpid()}/{each}" for each in range(5)]
    line = prepared(**DECISION)
    again = [Recurring(about(name, line)) for name in names]
    for n in range(10**9):
        chosen = [(n + each) % 5 for each in range(n % 7 + 1)]
        spool.append_all([again[each] for each in chosen], at=time.time())
        acknowledged.add(*(names[each] for each in chosen))


def note_some(folder: str, count: str) -> None:
    """Note so many decisions and end."""
    from audit.spool import Spool

    spool = Spool("edge", folder=Path(folder), rotate=50_000)
    for n in range(int(count)):
        spool.note(at=time.time(), url=str(n), **DECISION)


def note_on_a_full_disk(folder: str, room: str) -> None:
    """Note ten decisions in files that hold only so many bytes, and ten when there is room again; print the outcome."""
    from audit.spool import Spool, SpoolUnavailable

    spool = Spool("edge", folder=Path(folder))
    outcome = {}
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(room), resource.RLIM_INFINITY))
    for n in range(20):
        if n == 10:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        try:
            spool.note(at=time.time(), url=str(n), **DECISION)
            outcome[n] = "noted"
        except SpoolUnavailable as error:
            outcome[n] = str(error)
    print(json.dumps(outcome))


def fork(folder: str) -> None:
    """Note from a parent and from its child; the child outlives the parent's spool."""
    from audit.spool import Spool

    spool = Spool("edge", folder=Path(folder))
    spool.note(at=time.time(), url="parent before", **DECISION)
    if not os.fork():
        spool.note(at=time.time(), url="child", **DECISION)
        os._exit(0)
    os.wait()
    spool.note(at=time.time(), url="parent after", **DECISION)


def change(journal: str) -> None:
    """Change something for ever, each time with its entry in the same transaction."""
    from audit.context import Actor
    from audit.events import PersonCreated
    from audit.record import record

    acknowledged = Journal(journal)
    for n in range(10**9):
        name = f"{os.getpid()}/{n}"
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO thing (name) VALUES (%s)", [name])
            record(PersonCreated(person=name), by=Actor.command("acts"), revision=n)
        acknowledged.add(name)


def drain(limit: str) -> None:
    """Drain for ever, in small batches, and say when the first begins."""
    from audit.sequencer import drain_once

    print("draining", flush=True)
    while True:
        drain_once(int(limit))


def sequencer() -> None:
    """Drain as the command does."""
    call_command("drain_spool")


def outage() -> None:
    """Drain while the database cannot be used, and after it can be again."""
    from audit.models import Entry
    from audit.sequencer import drain_forever

    class Failure(logging.Handler):
        def emit(self, _: logging.LogRecord) -> None:
            failed.set()

    stop, failed = threading.Event(), threading.Event()
    logging.getLogger("audit.sequencer").addHandler(Failure())
    rename = "ALTER TABLE {} RENAME TO {}".format
    with connection.cursor() as cursor:
        cursor.execute(rename("audit_head", "hidden"))
    worker = threading.Thread(target=drain_forever, args=(stop, 0.05))
    worker.start()
    failed.wait()
    with connection.cursor() as cursor:
        cursor.execute(rename("hidden", "audit_head"))
    while not Entry.objects.exists():  # the test kills a process that hangs
        time.sleep(0.05)
    stop.set()
    worker.join()


def report() -> None:
    """Drain what is left, and print everything that is in the database."""
    from audit.models import Entry, SpoolPosition
    from audit.sequencer import drain_once
    from audit.verify import verify_book

    while drain_once():
        pass
    drain_once()
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM thing")
        things = [name for (name,) in cursor.fetchall()]
    entries = [
        {"number": each.number, "kind": each.kind, "subject": each.subject, "detail": json.loads(each.detail)}
        for each in Entry.objects.order_by("number")
    ]
    found = verify_book()
    print(json.dumps({
        "entries": entries,
        "things": things,
        "broken": found.broken and str(found.broken),
        "positions": SpoolPosition.objects.count(),
    }))  # fmt: skip


if __name__ == "__main__":
    django.setup()
    globals()[sys.argv[1]](*sys.argv[2:])
