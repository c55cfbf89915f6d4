"""Finds the key of an entry by its DN, which two servers may spell in two ways (RFC 4514)."""

from collections.abc import Iterable

import ldap
from ldap.dn import str2dn

Spelled = tuple[tuple[tuple[str, str], ...], ...]
"""A DN in its parts, each of one or several pairs of attribute and value."""


def spelled(dn: str) -> Spelled:
    """Return a DN in one spelling: no case, no space around its values, several values of one part in one order.

    The parts stay apart: joined to a text again, a comma within a value would look like one between two parts.
    """
    try:
        parts = str2dn(dn)
    except ldap.DECODING_ERROR:
        return ((("", dn.lower()),),)
    return tuple(tuple(sorted((name.lower(), value.strip().casefold()) for name, value, _ in part)) for part in parts)


def is_below(dn: Spelled, base: Spelled) -> bool:
    """Return whether an entry is at or below another."""
    return len(dn) >= len(base) and dn[len(dn) - len(base) :] == base


class Names:
    """Knows the keys of entries by their DNs."""

    def __init__(self, known: Iterable[tuple[str, str]] = ()) -> None:
        """Begin with pairs of DN and key."""
        self._exact = {dn.lower(): key for dn, key in known}
        self._spelled: dict[Spelled, str] = {}

    def add(self, dn: str, key: str) -> None:
        """Learn one."""
        self._exact[dn.lower()] = key
        if self._spelled:
            self._spelled[spelled(dn)] = key

    def learn(self, known: Iterable[tuple[str, str]]) -> None:
        """Learn pairs of DN and key, but for DNs that are known already: what was just read is newer."""
        for dn, key in known:
            self._exact.setdefault(dn.lower(), key)
        self._spelled.clear()

    def as_spelled(self, dn: str) -> str | None:
        """Return the key of an entry whose DN is spelled as it was learnt."""
        return self._exact.get(dn.lower())

    def key(self, dn: str) -> str | None:
        """Return the key of an entry; None if there is none of that name.

        Nearly always a DN comes as it came before, and costs one look-up; the parts are compared only where it does
        not.
        """
        if (found := self.as_spelled(dn)) is not None:
            return found
        if not self._spelled:
            self._spelled = {spelled(each): key for each, key in self._exact.items()}
        return self._spelled.get(spelled(dn))

    def __len__(self) -> int:
        return len(self._exact)
