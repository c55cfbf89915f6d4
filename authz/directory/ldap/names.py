"""Finds the key of an entry by its DN, which two servers may spell in two ways (RFC 4514)."""

from collections.abc import Iterable

import ldap
from ldap.dn import str2dn


def spelled(dn: str) -> str:
    """Return a DN in one spelling: lower case, no space around its parts, several values of one part in one order."""
    try:
        parts = str2dn(dn)
    except ldap.DECODING_ERROR:
        return dn.lower()
    return ",".join(
        "+".join(sorted(f"{name.lower()}={value.strip().casefold()}" for name, value, _ in part)) for part in parts
    )


class Names:
    """Knows the keys of entries by their DNs."""

    def __init__(self, known: Iterable[tuple[str, str]] = ()) -> None:
        """Begin with pairs of DN and key."""
        self._exact = {dn.lower(): key for dn, key in known}
        self._spelled: dict[str, str] = {}

    def add(self, dn: str, key: str) -> None:
        """Learn one."""
        self._exact[dn.lower()] = key
        self._spelled.clear()

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
