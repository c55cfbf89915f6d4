"""Finds the key of an entry by its DN: exactly as it was read, or as the server itself says that it is spelled.

Two DNs that look alike may be two entries: which spellings are one name is for the matching rule of each attribute to
say (RFC 4517), and only the server knows it. So nothing is folded to decide anything. What is folded, and more coarsely
than by a server (RFC 4518 prepares less, and Active Directory leaves out accents too), only tells whether a question to
the server can be saved.
"""

from collections.abc import Iterable
from typing import Final

import ldap
from ldap.dn import str2dn

from authz.decisions.names import is_too_long, normalized

Coarse = tuple[tuple[str, ...], ...]
"""The values of a DN, part by part, of which only letters and digits are left."""

Server = tuple[str, ...]
"""From where a directory is read: the URLs of its server, and the DNs below which people and groups are looked for."""

REMEMBERED: Final = 200_000
"""Spellings of one directory's entries that a process keeps; how a server compares two names does not change."""


def coarse(dn: str) -> Coarse | None:
    """Return what every spelling of a DN has in common; None if nothing can be said of it.

    The parts stay apart, for a comma within a value is none between two parts. Names of attributes are left out, since
    one has several (cn, commonName, 2.5.4.3).
    """
    try:
        parts = str2dn(dn)
    except (ldap.DECODING_ERROR, UnicodeDecodeError):  # the second of BER that is no text
        return None
    # BER in hexadecimal (RFC 4514 §2.4) comes as its bytes; a number sign that was escaped is a character like others.
    if any(is_too_long(value) or flags & ldap.AVA_BINARY for part in parts for _, value, flags in part):
        return None
    return tuple(tuple(sorted(_letters(value) for _, value, _ in part)) for part in parts)


def _letters(value: str) -> str:
    once = normalized(normalized(value, "NFKC").casefold(), "NFKD")  # decomposed: an accent is no letter
    return "".join(each for each in once.casefold() if each.isalnum())


def may_be_below(dn: str, base: str) -> bool:
    """Tell whether an entry may be at or below another."""
    inner, outer = coarse(dn), coarse(base)
    return inner is None or outer is None or inner[len(inner) - len(outer) :] == outer


class Names:
    """Knows the keys of entries by their DNs.

    What is known from before may be out of date: below a folder that was renamed nothing is told as changed, and
    somebody else may have the DN now. So it tells only what nothing that was read, and nothing else that is known from
    before, could contradict.
    """

    def __init__(self, known: Iterable[tuple[str, str]] = ()) -> None:
        """Begin with pairs of DN and key."""
        self._read = dict(known)
        self._read_keys = set(self._read.values())
        self._seen: set[tuple[str, str]] = set()
        self._learnt: dict[str, str] = {}
        self._alike: dict[Coarse | None, set[str]] | None = None

    def add(self, dn: str, key: str) -> None:
        """Learn one that was just read."""
        self._read[dn] = key
        self._read_keys.add(key)
        self._is_alike(dn, key)

    def see(self, dn: str, key: str) -> None:
        """Note that an entry has this DN and this key, by which nobody is to be found."""
        self._seen.add((dn, key))
        self._is_alike(dn, key)

    def learn(self, known: Iterable[tuple[str, str]]) -> None:
        """Learn pairs of DN and key that are known from before, of which several may have one DN."""
        for dn, key in known:
            if self._learnt.setdefault(dn, key) != key:
                self._seen.add((dn, key))
        self._alike = None

    def key(self, dn: str) -> str | None:
        """Return the key of an entry whose DN is spelled exactly so."""
        if (key := self._read.get(dn)) is not None:
            return key
        key = self._learnt.get(dn)
        return None if key is None or key in self._read_keys or self.keys_alike(dn) != {key} else key

    def was_read(self, dn: str) -> bool:
        """Tell whether an entry whose DN is spelled exactly so was read, and is not only known from before."""
        return dn in self._read

    def keys_alike(self, dn: str) -> set[str]:
        """Return the keys of all entries of which this may be another spelling: none to choose from, only to ask."""
        alike, looked_for = self._by_coarse(), coarse(dn)
        if looked_for is None:
            return set().union(*alike.values())
        return alike.get(looked_for, set()) | alike.get(None, set())

    def may_know(self, dn: str) -> bool:
        """Tell whether this may be another spelling of any entry."""
        alike, looked_for = self._by_coarse(), coarse(dn)
        return bool(alike) if looked_for is None else looked_for in alike or None in alike

    def _by_coarse(self) -> dict[Coarse | None, set[str]]:
        if self._alike is None:
            self._alike = {}
            for dn, key in (*self._read.items(), *self._learnt.items(), *self._seen):
                self._is_alike(dn, key)
        return self._alike

    def _is_alike(self, dn: str, key: str) -> None:
        if self._alike is not None:
            self._alike.setdefault(coarse(dn), set()).add(key)


class Spellings:
    """How a server spelled the DN of an entry that somebody else spelled otherwise."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: dict[int, tuple[Server, dict[str, str]]] = {}

    def of(self, source: int, server: Server, dn: str) -> str | None:
        """Return the server's own spelling of a DN, if a directory told it before and is still read from there."""
        told_by, known = self._known.get(source, (server, {}))
        return known.get(dn) if told_by == server else None

    def keep(self, source: int, server: Server, dn: str, told: str) -> None:
        """Remember what a directory told; what it told when it was read from elsewhere is forgotten."""
        told_by, known = self._known.get(source, (server, {}))
        if told_by != server or len(known) >= REMEMBERED:
            known = {}
        known[dn] = told
        self._known[source] = server, known

    def forget(self) -> None:
        """Ask anew from now on."""
        self._known.clear()


SPELLINGS: Final = Spellings()
