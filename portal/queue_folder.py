"""The queue of one machine: a folder in which a message is there whole or not at all.

Kombu's own transport of this kind writes a message where it is read, so that a reader may meet an empty file and dies
of it, and its task with it. Here a file is written beside and renamed (rename(2) is atomic), claimed by renaming it
once more, and what cannot be read is reported and taken away: a task of ours carries nothing that the next one would
not find.
"""

import fcntl
import json
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from time import time_ns
from typing import Any, Final

from kombu.transport import TRANSPORT_ALIASES, filesystem

log = logging.getLogger(__name__)

NAME: Final = "gatehouse-folder"
"""What a broker's address begins with to mean this."""
LARGEST: Final = 1024 * 1024
"""Bytes of a message; ours have some hundred."""


class Channel(filesystem.Channel):
    """Puts messages into a folder and takes them out of it."""

    def _put(self, queue: str, payload: dict[str, Any], **_: object) -> None:  # type: ignore[override]  # kombu's own two disagree
        """Put a message at the end of a queue."""
        _write(Path(self.data_folder_out) / f"{time_ns():020}_{secrets.token_hex(8)}.{queue}.msg", payload)

    def _get(self, queue: str, timeout: object = None) -> dict[str, Any]:  # noqa: ARG002  the shape kombu wants
        """Take the first message of a queue, which nobody else gets then."""
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):  # noqa: PTH208  names alone, and nothing that opens a file
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            claimed = folder / f".{secrets.token_hex(8)}.claimed"
            try:
                (folder / name).rename(claimed)
            except OSError:
                continue  # somebody else was faster
            message = _read(claimed)
            claimed.unlink(missing_ok=True)
            if isinstance(message, dict) and "body" in message:
                return message
            log.warning("queue.unreadable_message", extra={"file": name})
        raise Empty

    def get_table(self, exchange: str) -> list[filesystem.exchange_queue_t]:
        """Return which queues an exchange leads to; none if that cannot be read."""
        table = _read(self._exchange_file(exchange))
        rows = table if isinstance(table, list) else []
        return [filesystem.exchange_queue_t(*row) for row in rows if isinstance(row, list) and len(row) == len(ROW)]

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        """Let an exchange lead to a queue."""
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._alone():
            if row not in (table := self.get_table(exchange)):
                _write(self._exchange_file(exchange), [row, *table])

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *_: object, **__: object) -> None:
        """Let an exchange lead to a queue no longer, and forget what was in it."""
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._alone():
            if row in (table := self.get_table(exchange)):
                _write(self._exchange_file(exchange), [each for each in table if each != row])
        self._purge(queue)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.control_folder.mkdir(parents=True, exist_ok=True)
        with (self.control_folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


ROW: Final = filesystem.exchange_queue_t._fields


class Transport(filesystem.Transport):
    """The folder as kombu sees it."""

    Channel = Channel


def _write(path: Path, value: object) -> None:
    beside = path.with_name(f".{secrets.token_hex(8)}.new")
    try:
        beside.write_text(json.dumps(value), encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _read(path: Path) -> object:
    """Return what a file holds; None if that is nothing we wrote."""
    try:
        if path.stat().st_size > LARGEST:
            return None
        value: object = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return value


TRANSPORT_ALIASES[NAME] = f"{__name__}:Transport"
