"""Reads what the processes of a test have put into their spools."""

from collections.abc import Iterator
from pathlib import Path

from audit.events import DecisionMade
from audit.lines import Made, parse, told


def decisions_in(folder: Path) -> Iterator[Made]:
    """Yield every decision in a spool folder with its moment: file by file, oldest first, in the order of writing."""
    for path in sorted(folder.glob("*.spool"), key=lambda path: path.stat().st_ctime_ns):
        yield from _decisions(path.read_bytes())


def _decisions(whole: bytes) -> Iterator[Made]:
    def earlier(place: int) -> DecisionMade:
        return told(whole[place : whole.index(b"\n", place) + 1])

    for line in whole.splitlines(keepends=True):
        yield from parse(line, earlier)
