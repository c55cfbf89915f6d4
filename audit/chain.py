"""One audit link, and the walk that finds the first bad one.

    hash[n] = SHA-256(0x00 || hash[n-1] || canonical(entry[n])),  hash[0] = 32 zero bytes

canonical(entry) is UTF-8 JSON with sorted keys and no spaces; the leading zero byte keeps a link from ever being read
as another kind of hash (RFC 6962, section 2.1). A lone surrogate, which UTF-8 cannot carry, is written as its JSON
escape. See test_golden_vectors.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

GENESIS = bytes(32)
"""What the first entry follows."""

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


def canonical(entry: Mapping[str, object]) -> bytes:
    """Return the form of an entry that is hashed; ValueError for NaN and infinity, TypeError for what JSON lacks."""
    # Only a lone surrogate reaches the error handler, and only inside a JSON string: `\udc80` is its escape in both.
    return _encode(entry).encode("utf-8", "backslashreplace")


def link(previous: bytes, entry: Mapping[str, object]) -> bytes:
    """Return the hash of an entry that follows the entry whose hash is `previous`."""
    return sha256(b"\x00" + previous + canonical(entry)).digest()


class Link(NamedTuple):
    """One entry as it was found, with the hashes found beside it."""

    number: int
    entry: Mapping[str, object]
    previous: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place where the book is not what was written."""

    number: int
    problem: str

    def __str__(self) -> str:
        return f"entry {self.number}: {self.problem}"


def verify(links: Iterable[Link], *, number: int = 0, previous: bytes = GENESIS) -> Broken | None:
    """Walk `links`, which must follow entry `number` with hash `previous`, and return the first that is wrong.

    It holds one link at a time. It cannot see a cut-off tail, nor a book re-hashed to its end: for these its last
    hash must be compared with one kept elsewhere.
    """
    for found in links:
        number += 1
        if problem := _problem(found, number, previous):
            return Broken(number, problem)
        previous = found.hash
    return None


def _problem(found: Link, number: int, previous: bytes) -> str | None:
    if found.number > number:
        return f"it is missing: entry {found.number} stands in its place"
    if found.number < number:
        return f"it is out of order: entry {found.number} stands in its place"
    try:
        expected = link(found.previous, found.entry)
    except (TypeError, ValueError) as error:
        return f"its content is nothing that was ever hashed: {error}"
    if found.hash != expected:
        return "its content is not what its hash was made of"
    if found.previous != previous:
        return "it does not follow from the entry before it, which was changed and hashed anew"
    return None
