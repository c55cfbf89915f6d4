"""What the values of an LDAP entry mean: texts, lasting ids, and whether somebody is disabled."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from authz.formats.sources import LdapSettings

Entry = Mapping[str, Sequence[bytes]]
"""Attribute in lower case to its values."""

ACCOUNTDISABLE = 0x2
"""The flag of userAccountControl that disables an account of Active Directory."""
NEVER = {0, 0x7FFFFFFFFFFFFFFF}
"""Values of accountExpires that mean that an account does not expire."""
SINCE_1601 = 11_644_473_600
"""Seconds between the epoch of Active Directory and that of Unix."""
BINARY = {"objectguid"}
GUID = 16
"""Bytes of one."""


def lowered(entry: Mapping[str, Sequence[bytes]]) -> dict[str, Sequence[bytes]]:
    """Return an entry with the names of its attributes in lower case: LDAP does not mind (RFC 4512 §2.5)."""
    return {name.lower(): values for name, values in entry.items()}


def lasting_id(entry: Entry, attribute: str) -> str:
    """Return how the directory calls an entry for ever; empty if it does not say.

    A GUID of Active Directory is sixteen bytes, the first three of its five parts in little-endian order.
    """
    values = entry.get(attribute.lower(), ())
    if values and attribute.lower() in BINARY and len(values[0]) == GUID:
        return str(UUID(bytes_le=values[0]))
    return first(entry, attribute)


def text(value: bytes) -> str | None:
    """Return a value as text; None for what is not UTF-8, or holds a NUL, which no database takes."""
    try:
        decoded = value.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in decoded else decoded


def first(entry: Entry, attribute: str) -> str:
    """Return the first value of an attribute as text; empty if there is none, or it is no text."""
    values = entry.get(attribute.lower(), ())
    return (text(values[0]) or "") if values else ""


def no_text(entry: Entry, names: Sequence[str]) -> list[str]:
    """Return which of these attributes begin with a value that is no text."""
    return [name for name in names if (values := entry.get(name.lower(), ())) and text(values[0]) is None]


def kept(entry: Entry, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return attributes for the rules to look at; values that are no text are left out."""
    found = {}
    for name in names:
        values = [decoded for each in entry.get(name.lower(), ()) if (decoded := text(each)) is not None]
        if values:
            found[name.lower()] = tuple(sorted(values))
    return found


def is_active(entry: Entry, settings: LdapSettings, *, now: float) -> bool:
    """Return whether an account is enabled; what cannot be read as a number counts as disabled."""
    if settings.flavour == "ad":
        try:
            flags = int(first(entry, "userAccountControl") or 0)
            expires = int(first(entry, "accountExpires") or 0)
        except ValueError:
            return False
        if flags & ACCOUNTDISABLE or (expires not in NEVER and expires / 1e7 - SINCE_1601 <= now):
            return False
    if not settings.disabled_attribute:
        return True
    disabling = {each.casefold() for each in settings.disabled_values}
    values = entry.get(settings.disabled_attribute.lower(), ())
    return not any("*" in disabling or (text(value) or "").casefold() in disabling for value in values)
