"""Says what is read of an entry, and makes a person of one."""

import ldap
from ldap.filter import escape_filter_chars
from ldap.ldapobject import LDAPObject

from authz.directory.ldap.paging import paged
from authz.directory.ldap.values import Entry, first, is_active, kept, lasting_id
from authz.directory.observed import ObservedPerson, Problem
from authz.formats.sources import LdapSettings

LONGEST_KEY = 255
LONGEST_LOCATOR = 1000


def attributes_of(settings: LdapSettings) -> list[str]:
    """Return the attributes that are read of people."""
    wanted = [
        settings.id_attribute, settings.email_attribute, settings.name_attribute, *settings.login_attributes,
        *settings.kept_attributes, "modifyTimestamp",
    ]  # fmt: skip
    if settings.flavour == "ad":
        wanted += ["userAccountControl", "accountExpires"]
    if settings.disabled_attribute:
        wanted.append(settings.disabled_attribute)
    return list(dict.fromkeys(wanted))


def group_attributes(settings: LdapSettings) -> list[str]:
    """Return the attributes that are read of groups."""
    return [settings.id_attribute, settings.group_name_attribute, settings.member_attribute, "modifyTimestamp"]


def person_of(dn: str, entry: Entry, settings: LdapSettings, *, now: float) -> ObservedPerson | Problem:
    """Return somebody as their entry has them; a Problem if the directory gives them no lasting id."""
    key = lasting_id(entry, settings.id_attribute)
    if (why := unusable(key, settings)) is not None:
        return Problem(dn, why)
    return ObservedPerson(
        key=key,
        email=first(entry, settings.email_attribute),
        name=first(entry, settings.name_attribute),
        active=is_active(entry, settings, now=now),
        attributes=kept(entry, settings.kept_attributes),
        locator=locator_of(dn),
    )


def locator_of(dn: str) -> str:
    """Return how an entry is found again among those that are known; nothing where no column holds so long a DN.

    Whoever it is, is known by their id all the same.
    """
    return dn if len(dn) <= LONGEST_LOCATOR else ""


def unusable(key: str, settings: LdapSettings) -> str | None:
    """Return why an entry cannot be known by its id; None if it can."""
    if not key:
        return f"it has no {settings.id_attribute}, by which it could be known again"
    if len(key) > LONGEST_KEY or not key.isprintable():
        return f"its {settings.id_attribute} is no id"
    return None


def is_alone(connection: LDAPObject, settings: LdapSettings, base: str, filter_: str, key: str) -> bool:
    """Return whether one entry and no other has this id.

    Asked where a server does not see to that itself: whoever may write the attribute could become somebody else.
    """
    same = f"(&{filter_}({settings.id_attribute}={escape_filter_chars(key)}))"
    try:
        rows = list(paged(connection, base, same, ["1.1"], page=settings.page, patience=settings.patience))
    except ldap.NO_SUCH_OBJECT:
        return False
    return len(rows) == 1
