"""Takes decisions: one append to a file that only this process writes, on the way to every answer.

A line is one JSON object in ASCII, ended by a newline and written by one write(2): what is acknowledged is with the
operating system, and killing the process cannot lose it. `at` is in microseconds since 1970.

    {"id":"edge-4711-9f2c6b1d0a7e4c35-1","at":1760000000000000,"url":"https://mcp.example.com/search",
    "revision":7,"effect":"allow","rule":"a_grant_opens_the_door","code":"granted","person":"alice@example.com",
    "credential":"session:4","action":"use","target":"search","tool":null,"address":"192.0.2.1",
    "dialect":"nginx"}     (on one line, with no space between the fields)

What was decided before in the same words may be named instead of told: by the byte at which it stands in this file, and
its number. The line below is three decisions, and their numbers are 17, 18 and 19.

    {"id":"edge-4711-9f2c6b1d0a7e4c35-17","at":1760000000250000,"again":[[0,1],[780,3],[0,1]]}

The operating system ends a write at the end of a memory page when its process is killed within it, or where the disk
is full. So the last line of a writer that is gone may be torn: it begins as every line of the file and has no newline.
It was acknowledged to nobody, and the sequencer records it as torn.

A file is named after its writer, role-pid-random.spool, and locked with flock(2) as long as the writer has it. It gets
that name only when it is locked, so a spool that is not locked is one whose writer is gone.
"""

import fcntl
import json
import os
import re
import secrets
import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path
from time import monotonic
from typing import Final

from audit import conf

SUFFIX = ".spool"
LONGEST_TEXT = 2048
"""How many characters are kept of a text, such as a URL."""
LONGEST_LINE = 1024 * 1024
"""No line is longer: it holds a dozen texts, and JSON writes a character in at most twelve bytes."""
MOST_AGAIN: Final = 100
"""How many decisions one line may name."""
_AGAIN: Final = b'%b%d","at":%d,"again":[%b]}\n'
CHECK_EVERY = 1.0
"""Seconds between two looks at how full the folder is."""


class SpoolUnavailable(Exception):
    """A decision could not be recorded, and so must not be made."""


def prepared(  # noqa: PLR0913  one argument for each field of a line
    *,
    effect: str,
    rule: str,
    code: str,
    person: str,
    credential: str,
    action: str,
    target: str,
    tool: str | None,
    address: str,
    revision: int,
    dialect: str,
) -> str:
    """Return all of a line that does not change when the same is answered again: everything after `at` and `url`.

    Every text goes through JSON's own encoder, which also takes newlines, NUL and lone surrogates.
    """
    most = LONGEST_TEXT
    return (
        f'"revision":{revision:d},"effect":{quoted(effect[:most])},"rule":{quoted(rule[:most])},'
        f'"code":{quoted(code[:most])},"person":{quoted(person[:most])},"credential":{quoted(credential[:most])},'
        f'"action":{quoted(action[:most])},"target":{quoted(target[:most])},'
        f'"tool":{"null" if tool is None else quoted(tool[:most])},'
        f'"address":{quoted(address[:most])},"dialect":{quoted(dialect[:most])}}}\n'
    )


BEGUN: Final = re.compile(rb'(?:[0-9]+(?:"[ -~]*)?)?')
"""What may follow the beginning of a line that was torn: its number, and ASCII without control characters."""


def line_prefix(file: str) -> bytes:
    """Return how every line of a file begins."""
    return f'{{"id":"{file.removesuffix(SUFFIX)}-'.encode("ascii")


def is_torn(file: str, end: bytes) -> bool:
    """Tell whether the end of a file, after its last newline, is a line that its writer began and did not finish.

    It begins as every line of the file does, has no byte that a line never has, and nothing behind its last brace.
    """
    prefix = line_prefix(file)
    if end.endswith(b"\n") or len(end) >= LONGEST_LINE or end[: len(prefix)] != prefix[: len(end)]:
        return False
    return BEGUN.fullmatch(end[len(prefix) :]) is not None and not _goes_on_behind(end)


def _goes_on_behind(end: bytes) -> bool:
    """Tell whether a whole line is there and something else than its newline follows, which no writer wrote."""
    try:
        _, length = json.JSONDecoder().raw_decode(end.decode("ascii"))
    except ValueError:
        return False
    return length < len(end)


def about(url: str, line: str) -> bytes:
    """Return a prepared line with the URL it is about: everything after `at`."""
    return f'"url":{quoted(url[:LONGEST_TEXT])},{line}'.encode("ascii")


class Recurring:
    """A decision that is made again and again, and where it is told in the file that is being written."""

    __slots__ = ("file", "place", "rest")

    def __init__(self, rest: bytes) -> None:
        """Be what `about` wrote down, and told nowhere yet."""
        self.rest = rest
        self.file = b""
        """How the lines of that file begin."""
        self.place = b""


class Spool:
    """The files of one process in the spool folder; any of its threads may write."""

    def __init__(
        self, role: str, *, folder: Path | None = None, limit: int | None = None, rotate: int | None = None
    ) -> None:
        """Open a file named after the role of the process, such as edge, or raise SpoolUnavailable."""
        self._fd = -1
        self._role = "".join(each for each in role if each.isascii() and (each.isalnum() or each == "_")) or "portal"
        self._folder = folder or conf.spool_dir()
        self._limit = conf.spool_limit() if limit is None else limit
        self._rotate = conf.spool_rotate() if rotate is None else rotate
        self._count, self._size, self._prefix, self._ready = 0, 0, b"", False
        self.begin_anew()
        try:
            self._tend(monotonic())
        except OSError as error:
            raise SpoolUnavailable(f"the spool cannot be opened: {error.strerror}") from error
        _SPOOLS.add(self)

    def note(  # noqa: PLR0913  one argument for each field of a line
        self,
        *,
        at: float,
        effect: str,
        rule: str,
        code: str,
        person: str,
        credential: str,
        action: str,
        target: str,
        tool: str | None,
        address: str,
        url: str,
        revision: int,
        dialect: str,
    ) -> None:
        """Append one decision, made `at` seconds since 1970, or raise SpoolUnavailable.

        Its budget is 2.5 µs (measured: 2.3, of which write(2) takes 0.6), so the line is formatted by hand. Whoever
        gives the same answer again and again prepares it once, and then appends it for half of that.
        """
        line = prepared(
            effect=effect,
            rule=rule,
            code=code,
            person=person,
            credential=credential,
            action=action,
            target=target,
            tool=tool,
            address=address,
            revision=revision,
            dialect=dialect,
        )
        self.append(about(url, line), at=at)

    def append(self, rest: bytes, *, at: float) -> None:
        """Append a decision that `about` wrote down, made `at` seconds since 1970, like `note`."""
        with self._lock:
            if monotonic() >= self._check_at or not self._ready:
                self._be_ready()
            self._write(b'%b%d","at":%d,%b' % (self._prefix, self._count + 1, at * 1e6, rest), 1)

    def append_all(self, decisions: Sequence[Recurring], *, at: float, new: Sequence[tuple[bytes, float]] = ()) -> None:
        """Append decisions made at `at` by one write(2), the ones that this file tells already by their place.

        Among them may be new ones, each as `about` wrote it down and with the moment at which it was made. Raise
        SpoolUnavailable if that is not possible; some of them may be recorded even so.
        """
        if not decisions and not new:
            return
        with self._lock:
            if monotonic() >= self._check_at or not self._ready:
                self._be_ready()
            file = self._prefix
            places = [each.place for each in decisions if each.file is file]
            if not new and len(places) == len(decisions) <= MOST_AGAIN:
                self._write(_AGAIN % (file, self._count + 1, at * 1e6, b",".join(places)), len(places))
            else:
                self._tell([each for each in decisions if each.file is not file], places, at, new)

    def _tell(
        self, decisions: list[Recurring], places: list[bytes], at: float, new: Sequence[tuple[bytes, float]]
    ) -> None:
        """Append some decisions in full, others by their places, and new ones."""
        file, size, number = self._prefix, self._size, self._count + 1
        lines, standing = [], []
        for each in decisions:
            lines.append(b'%b%d","at":%d,%b' % (file, number, at * 1e6, each.rest))
            standing.append(b"[%d,%d]" % (size, number))
            size += len(lines[-1])
            number += 1
        for begin in range(0, len(places), MOST_AGAIN):
            some = places[begin : begin + MOST_AGAIN]
            lines.append(_AGAIN % (file, number, at * 1e6, b",".join(some)))
            number += len(some)
        lines += [
            b'%b%d","at":%d,%b' % (file, count, made * 1e6, rest) for count, (rest, made) in enumerate(new, number)
        ]
        self._write(b"".join(lines), len(decisions) + len(places) + len(new))
        for each, place in zip(decisions, standing, strict=True):
            each.file, each.place = file, place

    def _be_ready(self) -> None:
        try:
            self._tend(monotonic())
        except OSError as error:
            raise SpoolUnavailable(f"the spool cannot be written: {error.strerror}") from error

    def _write(self, lines: bytes, decisions: int) -> None:
        self._count += decisions
        try:
            written = os.write(self._fd, lines)
        except OSError as error:
            raise SpoolUnavailable(f"the spool cannot be written: {error.strerror}") from error
        if written != len(lines):
            # The next line must not continue the one that was torn. The sequencer reports it.
            self._leave()
            raise SpoolUnavailable("the spool took only a part of a decision")
        self._size += written
        if self._size >= self._rotate:
            self._ready = False

    def close(self) -> None:
        """Leave the file to the sequencer; a later note begins another."""
        with self._lock:
            self._leave()

    def __del__(self) -> None:
        """Leave the file when nobody holds this any more: as long as it is locked, the sequencer keeps it."""
        self._leave()

    def begin_anew(self) -> None:
        """Forget the file and the lock: a child shares its parent's file, and a thread it lacks may hold the lock."""
        self._lock = threading.Lock()
        self._check_at = 0.0
        self._full = False
        self._leave()

    def _tend(self, now: float) -> None:
        """Have a file with room, in a folder with room: asked once a second, and when the file is full or none."""
        new = self._fd < 0 or self._size >= self._rotate
        if not new:
            found = os.fstat(self._fd)
            # Deleted: what is written is lost. Of another size: somebody wrote to it, and places in it are wrong.
            new = found.st_nlink == 0 or found.st_size != self._size
        # Once the folder is full every note comes here, and it is still weighed only once a second.
        if now >= self._check_at or (new and not self._full):
            self._check_at = now + CHECK_EVERY
            self._full = _weight(self._folder) > self._limit
        if self._full:
            self._ready = False
            raise SpoolUnavailable(f"the spool folder holds more than {self._limit} bytes; is the sequencer running?")
        if new:
            self._open()
        self._ready = True

    def _open(self) -> None:
        self._leave()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{self._role}-{os.getpid()}-{secrets.token_hex(8)}"
        unlocked = self._folder / f"{name}.new"
        fd = os.open(unlocked, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            unlocked.rename(self._folder / f"{name}{SUFFIX}")
        except OSError:
            os.close(fd)
            raise
        self._fd, self._count, self._size = fd, 0, 0
        self._prefix = line_prefix(name)

    def _leave(self) -> None:
        self._ready = False
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with suppress(OSError):  # of what a disk says only then, the sequencer finds the trace
                os.close(fd)


def _weight(folder: Path) -> int:
    """Return how many bytes a folder holds; none if it is not made yet."""
    total = 0
    with suppress(FileNotFoundError), os.scandir(folder) as files:
        for each in files:
            with suppress(FileNotFoundError):  # drained and deleted meanwhile
                total += each.stat(follow_symlinks=False).st_size
    return total


_SPOOLS: "weakref.WeakSet[Spool]" = weakref.WeakSet()


def _after_fork() -> None:
    for spool in list(_SPOOLS):
        spool.begin_anew()


os.register_at_fork(after_in_child=_after_fork)
