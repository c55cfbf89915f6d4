"""Walks the whole book, and compares its end with the head."""

from collections.abc import Iterator
from dataclasses import dataclass

from audit.chain import GENESIS, Broken, Link, verify
from audit.models import Entry, Head

PAGE = 2000
"""Entries in one query: pages and not one long query, so that no snapshot stands open while the book is walked."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found: how many entries were walked, the head, and the first bad entry, if any."""

    entries: int
    head: str
    broken: Broken | None


class NoSuchEntry(LookupError):
    """The walk was to begin at an entry that the book does not have."""


class _Walk:
    """The links of the book from one number on; remembers the last, and the head as it was when the last was read."""

    def __init__(self, number: int, last: bytes) -> None:
        self.number, self.hash, self.head = number, last, Head()

    def __iter__(self) -> Iterator[Link]:
        while True:
            # The head is read before the page: an empty page then means that the book ended there.
            self.head = Head.objects.filter(id=1).first() or Head()
            page = _page(self.number)
            if not page:
                return
            for found in page:
                yield found
                self.number, self.hash = found.number, found.hash


def _page(after: int) -> list[Link]:
    page = Entry.objects.filter(number__gt=after).order_by("number")
    try:
        return [entry.link() for entry in page[:PAGE]]
    except (AttributeError, TypeError, ValueError):
        # SQLite lets anything stand in any column, even what is no moment: that entry is as broken as any.
        numbers = list(page.values_list("number", flat=True)[:PAGE])
        return [_single(number) for number in numbers]


def _single(number: int) -> Link:
    try:
        return Entry.objects.get(number=number).link()
    except (AttributeError, TypeError, ValueError):
        return Link(number, {}, b"", b"")


def verify_book(start: int = 1) -> Verified:
    """Check every entry from number `start` on; the entry before it is believed. Raises NoSuchEntry."""
    number, previous = start - 1, GENESIS
    if number:
        before = Entry.objects.filter(number=number).first()
        if before is None:
            raise NoSuchEntry(f"there is no entry {number} to begin after")
        previous = before.link().hash
    walk = _Walk(number, previous)
    broken = verify(walk, number=number, previous=previous) or _compare(walk)
    return Verified(walk.number - number, walk.head.hash, broken)


def _compare(walk: _Walk) -> Broken | None:
    """Return how the book's end differs from what the head says of it."""
    last, head = walk.number, walk.head
    if last < head.number:
        return Broken(last + 1, f"it is missing with all that follow: the head tells of {head.number} entries")
    if last > head.number:
        return Broken(head.number + 1, "the head does not know it: it was added past the sequencer")
    if walk.hash.hex() != head.hash:
        return Broken(last, "its hash is not the one the head has: the end of the book was hashed anew")
    return None
