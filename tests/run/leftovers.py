"""Fails a test that leaves something behind: a thread, a child, a socket or file, a listener, or a changed process.

What is left behind acts during the next tests, or decides whether they pass. A fixture that several tests share is
looked at when its file is over.
"""

import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from audit import conf

GRACE = 10.0
"""Seconds in which what was told to end may end; only a test that leaves something behind waits for it."""

OPEN = Path("/proc/self/fd")

KEPT_THREADS = ("asyncio_", "ThreadPoolExecutor", "AnyIO worker thread", "pytest_timeout", "execnet")
"""Pools that asgiref, anyio and execnet keep as long as the process: they sleep until somebody gives them work."""

KEPT_VARIABLES = frozenset({"PYTEST_CURRENT_TEST", "DJANGO_ALLOW_ASYNC_UNSAFE"})
"""What pytest and the browser change for as long as a test lasts."""

SQLITE_OVERFLOW = "/etilqs_"
"""How SQLite names the file of what does not fit in its memory, which it keeps as long as the connection."""

LOGGERS = "handlers of loggers"
"""Whoever is imported for the first time brings loggers of its own; those that were there before are looked at."""

WATCHED_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM, signal.SIGXFSZ, signal.SIGPIPE)


class Process(NamedTuple):
    """What this process is at one moment."""

    threads: frozenset[threading.Thread]
    children: dict[int, str]
    files: dict[str, int]
    state: dict[str, dict[str, Any]]


def now() -> Process:
    """Look."""
    return Process(_threads(), _children(), _files(), _state())


def _threads() -> frozenset[threading.Thread]:
    return frozenset(each for each in threading.enumerate() if not each.name.startswith(KEPT_THREADS))


def _children() -> dict[int, str]:
    found = {}
    for task in Path("/proc/self/task").glob("*/children"):
        for pid in map(int, _read(task).split()):
            words = _read(Path(f"/proc/{pid}/cmdline")).replace("\0", " ").strip()
            found[pid] = words[-160:] or "ended, and not waited for"
    return found


def _files() -> dict[str, int]:
    """Return how often each open file or socket is open, but for what the process keeps for its own use."""
    found: dict[str, int] = {}
    ours = (*_of_databases(), str(conf.spool_dir()))
    for each in OPEN.iterdir() if OPEN.exists() else ():
        try:
            name = str(each.readlink())
        except OSError:
            continue  # it was the listing's own
        if not name.startswith(("anon_inode:", "/dev/", "pipe:", *ours)) and SQLITE_OVERFLOW not in name:
            found[name] = found.get(name, 0) + 1
    return found


def _of_databases() -> tuple[str, ...]:
    """Return what Django's own connections hold open in this thread: pytest-django looks after them."""
    from django.db import connections  # noqa: PLC0415  the settings are named later than this file is read

    found = [str(each.settings_dict["NAME"]) for each in connections.all() if each.vendor == "sqlite"]
    for each in connections.all(initialized_only=True):
        if each.vendor == "sqlite":
            continue  # named above: the browser's loop has a connection of its own to it
        if each.connection is not None and not each.connection.closed:
            found.append(str((OPEN / str(each.connection.fileno())).readlink()))
    return tuple(found)


def _state() -> dict[str, dict[str, Any]]:
    variables = {name: value for name, value in os.environ.items() if name not in KEPT_VARIABLES}
    loggers = (logging.getLogger(name) for name in list(logging.Logger.manager.loggerDict))
    return {
        "the environment": variables,
        "the working directory": {"it": Path.cwd()},
        "the signal handlers": {each.name: signal.getsignal(each) for each in WATCHED_SIGNALS},
        LOGGERS: {each.name: _handlers(each) for each in loggers},
        "who hears of a new World": {"they": _hearing()},
    }


def _handlers(logger: logging.Logger) -> list[str]:
    """Return the kinds of those that do something and are not pytest's own, which come and go within a test.

    Django makes all of them anew when it is set up once more.
    """
    ours = (each for each in logger.handlers if not type(each).__module__.startswith("_pytest"))
    return [type(each).__qualname__ for each in ours if not isinstance(each, logging.NullHandler)]


def _hearing() -> list[Any]:
    from authz.lookups.current import CURRENT  # noqa: PLC0415  the settings are named later than this file is read

    return list(CURRENT.heard)


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""  # it ended meanwhile


KEPT = Process(frozenset(), {}, {}, {})
"""What was started in a test to stay until the last one of this worker."""


@contextmanager
def kept() -> Iterator[None]:
    """Start something that stays until the last test of this worker, such as the browser."""
    global KEPT  # noqa: PLW0603  one process has one such list
    before = now()
    yield
    after = now()
    KEPT = Process(
        KEPT.threads | (after.threads - before.threads),
        KEPT.children | {pid: words for pid, words in after.children.items() if pid not in before.children},
        KEPT.files | {name: count for name, count in after.files.items() if name not in before.files},
        {},
    )


def left(before: Process) -> list[str]:
    """Return what there is that was not there before, each in words."""
    found, after = [], now()
    found += [f"a thread: {each.name}" for each in after.threads - before.threads - KEPT.threads]
    children = after.children.keys() - before.children.keys() - KEPT.children.keys()
    found += [f"a child: {pid} {after.children[pid]}" for pid in children]
    known = before.files | KEPT.files
    found += [f"an open file: {each}" for each, count in after.files.items() if count > known.get(each, 0)]
    for what, was in before.state.items():
        found += [
            f"{what}: {name} was {was.get(name)!r} and is {after.state[what].get(name)!r}"
            for name in was.keys() | after.state[what].keys()
            if was.get(name) != after.state[what].get(name) and not (what == LOGGERS and name not in was)
        ]
    return found


def _watch(what: str) -> Iterator[None]:
    before = now()
    yield
    ends = time.monotonic() + GRACE
    while found := left(before):
        gc.collect()  # what nobody holds any more closes itself
        if time.monotonic() > ends:
            pytest.fail(f"{what} leaves behind\n  " + "\n  ".join(sorted(found)), pytrace=False)
        time.sleep(0.02)


@pytest.fixture(autouse=True, scope="module")
def nothing_is_left_by_the_file() -> Iterator[None]:
    """Look after the last test of a file, when what its tests shared has ended."""
    yield from _watch("the file")


@pytest.fixture(autouse=True)
def nothing_is_left(nothing_is_left_by_the_file: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Look after each test, when what it patched is as it was."""
    watching = _watch("the test")
    yield next(watching)
    monkeypatch.undo()
    next(watching, None)
