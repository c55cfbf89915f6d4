"""The Basic Encoding Rules (X.690) as far as LDAP uses them: tags of one byte, definite lengths (RFC 4511 §5.1)."""

from collections.abc import Iterator
from io import BufferedIOBase
from typing import NamedTuple

INTEGER, OCTETS, ENUMERATED, SEQUENCE, SET = 0x02, 0x04, 0x0A, 0x30, 0x31
MOST_SHORT = 0x7F
"""The longest length that fits in one byte."""


class Piece(NamedTuple):
    """One encoded value: its tag, and what it holds."""

    tag: int
    body: bytes

    def parts(self) -> list["Piece"]:
        """Return the values it is made of."""
        return list(pieces(self.body))

    def number(self) -> int:
        """Return it as a number."""
        return int.from_bytes(self.body, "big", signed=True)

    def text(self) -> str:
        """Return it as text."""
        return self.body.decode()


def pieces(data: bytes) -> Iterator[Piece]:
    """Yield the values that stand one after the other."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length > MOST_SHORT:
            end = at + (length & MOST_SHORT)
            length, at = int.from_bytes(data[at:end], "big"), end
        yield Piece(tag, data[at : at + length])
        at += length


def received(stream: BufferedIOBase) -> Piece | None:
    """Return the next value of a stream; None at its end."""
    head = stream.read(2)
    if len(head) < 2:
        return None
    length = head[1]
    if length > MOST_SHORT:
        length = int.from_bytes(stream.read(length & MOST_SHORT), "big")
    return Piece(head[0], stream.read(length))


def encoded(tag: int, *parts: bytes) -> bytes:
    """Return a value that is made of others, or holds bytes."""
    body = b"".join(parts)
    length = len(body)
    if length <= MOST_SHORT:
        return bytes((tag, length)) + body
    long = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(long))) + long + body


def number(value: int, tag: int = INTEGER) -> bytes:
    """Return a number."""
    return encoded(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def octets(value: bytes | str, tag: int = OCTETS) -> bytes:
    """Return bytes, or a text."""
    return encoded(tag, value.encode() if isinstance(value, str) else value)
