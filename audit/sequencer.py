"""Moves decisions from the spools into the book, each exactly once.

The entries made of a file and the new position in it are one transaction, under the head's lock: killed at any instant,
the sequencer has done both or neither, and several of them take turns. A file is deleted only by a turn that found it
unlocked and already read to its end, so that what it held was committed by an earlier turn; its position goes after it.
Killed between the two, the position stays behind, and is the position of no file: names are never used twice.
"""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.db import close_old_connections, connection, transaction
from django.utils import timezone

from audit import conf
from audit.context import Actor
from audit.events import DecisionMade, SpoolDamaged, SpoolTorn
from audit.lines import NotADecision, parse, told
from audit.models import SpoolPosition
from audit.record import Draft, append_many, lock_head
from audit.spool import LONGEST_LINE, SUFFIX, is_torn

log = logging.getLogger(__name__)

BATCH = 500
"""Entries in one transaction, and up to a hundred more that its last line names.

A change waits for the head while one batch takes: 30 ms on SQLite, 50 on PostgreSQL.

Larger batches are no faster.
"""
BLOCK = 256 * 1024
"""Bytes in one read."""
LINE_LENGTHS = (1024, 16 * 1024, LONGEST_LINE)
"""How many bytes are read for a line: most have fewer than the first, and nearly all than the second."""
KEPT_BYTES = 4096
"""How many bytes of a damaged line are kept."""
PAUSE = 0.1
LONGEST_BACKOFF = 30.0


def drain_forever(stop: threading.Event, pause: float = PAUSE, *, folder: Path | None = None) -> None:
    """Take turns until `stop` is set, with `pause` seconds between them while nothing is waiting.

    It outlives whatever goes wrong, the database above all: decisions wait in their spools meanwhile.
    """
    backoff = pause
    while not stop.is_set():
        began = time.monotonic()
        try:
            close_old_connections()
            appended = drain_once(folder=folder)
            backoff = pause
        except Exception:
            log.exception("the spools could not be drained; next try in %.1f s", backoff)
            connection.close()
            stop.wait(backoff)
            backoff = min(backoff * 2, LONGEST_BACKOFF)
            continue
        if appended < BATCH:
            stop.wait(pause)
        elif connection.vendor == "sqlite":
            # SQLite lets whoever asks first be next: without a pause a busy sequencer would keep every writer out.
            stop.wait(time.monotonic() - began)


def drain_once(limit: int = BATCH, *, folder: Path | None = None) -> int:
    """Take one turn, and return how many entries it appended: `limit`, and what the line that reaches it names more."""
    folder = folder or conf.spool_dir()
    if not _anything_to_do(folder):
        return 0
    with transaction.atomic(durable=True):
        lock_head()
        positions = _positions(names := _spools(folder))
        drafts: list[Draft] = []
        # Those that waited longest come first, so that a busy file cannot keep the others out of the book.
        for name in sorted(names, key=lambda each: positions[each].drained_at.timestamp() if each in positions else 0):
            if len(drafts) < limit:
                position = positions.get(name) or SpoolPosition(file=name)
                drafts += _take(folder / name, position, limit - len(drafts))
        append_many(drafts)
    return len(drafts)


def _take(path: Path, position: SpoolPosition, limit: int) -> list[Draft]:
    """Return drafts of what follows the position, moved beyond it; delete a file that has nothing more to give."""
    with _opened(path) as (fd, abandoned):
        if fd is None:
            return []
        drafts, start = [], position.offset
        if (size := os.fstat(fd).st_size) < start:
            drafts.append(_damage(path.name, start, b"", f"the file was cut to {size} bytes after it was read further"))
            position.offset = size
        earlier = _Earlier(fd)
        for piece in _pieces(fd, position.offset, abandoned=abandoned):
            drafts += _drafts(path.name, position.offset, piece, earlier)
            position.offset += len(piece)
            if len(drafts) >= limit:
                break
        if drafts:
            position.drained_at = timezone.now()
            position.save()
        elif abandoned:
            path.unlink()
            if position.pk:
                position.delete()
        return drafts


def _drafts(file: str, offset: int, piece: bytes, earlier: "_Earlier") -> list[Draft]:
    earlier.before = offset
    try:
        return [_draft(at, decision) for at, decision in parse(piece, earlier)]
    except NotADecision as error:
        if is_torn(file, piece):
            return [_torn(file, offset, piece)]
        return [*(_draft(at, decision) for at, decision in error.made), _damage(file, offset, piece, str(error))]


def _draft(at: datetime, decision: DecisionMade) -> Draft:
    who, address = decision.person, decision.address
    by = Actor.person(who, address=address) if who else Actor.stranger(address=address)
    return Draft(event=decision, by=by, at=at, revision=decision.revision)


class _Earlier:
    """What a file told before a line that is read now; each decision is read once."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._known: dict[int, DecisionMade] = {}
        self.before = 0
        """Where the line begins that is read now."""

    def __call__(self, place: int) -> DecisionMade:
        if place >= self.before:
            raise NotADecision("what it names does not come before it")
        if place not in self._known:
            self._known[place] = told(self._line(place))
        return self._known[place]

    def _line(self, place: int) -> bytes:
        """Return the line that begins at a place, with its newline; without one if it is longer than any of ours."""
        line = b""
        for most in LINE_LENGTHS:
            line = os.pread(self._fd, most, place)
            if (end := line.find(b"\n")) >= 0:
                return line[: end + 1]
        return line


def _damage(file: str, offset: int, piece: bytes, problem: str) -> Draft:
    log.error("spool %s is damaged at byte %d: %s", file, offset, problem)
    return _found(SpoolDamaged(file=file, offset=offset, problem=problem, **_evidence(piece)))


def _torn(file: str, offset: int, piece: bytes) -> Draft:
    log.warning("the writer of spool %s ended within the line at byte %d; nobody was answered by it", file, offset)
    return _found(SpoolTorn(file=file, offset=offset, **_evidence(piece)))


def _evidence(piece: bytes) -> dict[str, Any]:
    return {"length": len(piece), "hex": piece[:KEPT_BYTES].hex(), "sha256": sha256(piece).hexdigest()}


def _found(event: SpoolDamaged | SpoolTorn) -> Draft:
    return Draft(event=event, by=Actor.system("sequencer"), at=timezone.now())


def _pieces(fd: int, start: int, *, abandoned: bool) -> Iterator[bytes]:
    """Yield each complete line with its newline; of an abandoned file also what follows the last one."""
    held = b""
    while block := os.pread(fd, BLOCK, start):
        start += len(block)
        *lines, held = (held + block).split(b"\n")
        for line in lines:
            yield line + b"\n"
        while len(held) >= LONGEST_LINE:  # no writer of ours: bounded, so that it cannot fill the memory
            yield held[:LONGEST_LINE]
            held = held[LONGEST_LINE:]
    if abandoned and held:
        yield held


@contextmanager
def _opened(path: Path) -> Iterator[tuple[int | None, bool]]:
    """Open a spool, and tell whether its writer is gone; None for a file that cannot be opened.

    The lock is asked for before anything is read: once it is ours, what is read is all there will ever be.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield None, False  # another sequencer deleted it
        return
    except OSError:
        log.exception("spool %s cannot be opened", path.name)
        yield None, False
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        abandoned = True
    except BlockingIOError:
        abandoned = False
    try:
        yield fd, abandoned
    finally:
        os.close(fd)


def _anything_to_do(folder: Path) -> bool:
    """Tell whether a turn could do something, without keeping anybody from the head."""
    positions = _positions(names := _spools(folder))
    for name in names:
        with _opened(folder / name) as (fd, abandoned):
            read = positions[name].offset if name in positions else 0
            if fd is not None and (abandoned or os.fstat(fd).st_size != read):
                return True
    return False


def _spools(folder: Path) -> list[str]:
    try:
        return [each.name for each in os.scandir(folder) if each.name.endswith(SUFFIX)]
    except FileNotFoundError:
        return []  # no process has written yet


def _positions(names: list[str]) -> dict[str, SpoolPosition]:
    return {each.file: each for each in SpoolPosition.objects.filter(file__in=names)}
