"""Proves a password by an LDAP server, and reads whoever it belongs to with the groups they are in."""

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import ldap
from django_auth_ldap.backend import LDAPBackend, _LDAPUser
from django_auth_ldap.config import LDAPSettings
from ldap.filter import escape_filter_chars
from ldap.ldapobject import LDAPObject

from authz.changes.sources import secret_of
from authz.directory.fitting import above
from authz.directory.ldap.connection import connected, options, starts_tls
from authz.directory.ldap.entries import attributes_of, is_alone, locator_of, person_of, unusable
from authz.directory.ldap.paging import Row, paged
from authz.directory.ldap.values import first, lasting_id, lowered
from authz.directory.observed import Observed, ObservedGroup, Problem
from authz.errors import DirectoryFailed
from authz.formats.sources import LdapSettings, read
from authz.models import ForeignNest, Source

IN_CHAIN = "1.2.840.113556.1.4.1941"
"""Active Directory's rule for "in it, at any depth" (MS-ADTS §3.1.1.3.4.4.3); other servers know nothing of it."""
LONGEST = 256
"""Characters of a name that somebody signs in with."""


REFUSALS = (ldap.INAPPROPRIATE_AUTH, ldap.UNWILLING_TO_PERFORM, ldap.CONSTRAINT_VIOLATION)
"""How servers refuse a bind besides "invalid credentials": no password is set, or the account is locked."""


class _Backend(LDAPBackend):  # type: ignore[misc]  # it has no types
    """Django-auth-ldap for one directory: it binds with the password.

    It is not asked to look for the entry, for it takes a search that failed for one that found nobody.
    """

    def __init__(self, settings: LdapSettings, url: str) -> None:
        self.settings = LDAPSettings(
            "DIRECTORY_",  # it looks for Django settings that begin so, and there are none
            {"SERVER_URI": url, "CONNECTION_OPTIONS": options(settings), "START_TLS": starts_tls(url, settings)},
        )


def proven(source: Source, account: str, password: str, *, count: Callable[[str], bool]) -> Observed | None:
    """Return the one person whose name and password these are; None if there is none.

    `count` is told the entry before its password is tried, and may forbid that. Raises DirectoryFailed where nothing
    can be known. An empty password is nobody's: to a server it would mean that nobody asks (RFC 4513 §5.1.2).
    """
    settings = read(LdapSettings, source.settings)
    if not password or not account or len(account) > LONGEST or "\0" in account + password:
        return None
    with connected(settings, dn=settings.bind_dn, password=secret_of(source)) as connection:
        found = _entry(connection, settings, account)
        if found is None:
            return None
        dn, entry = found
        if not count(f"{source}/{lasting_id(entry, settings.id_attribute) or dn}"):
            return None
        # The reader's own connection is kept: whoever proved a password may see less than the reader does.
        url = connection._uri  # noqa: SLF001  the one of several that answered
        user = _LDAPUser(_Backend(settings, url), username=account)
        user._user_dn = dn  # noqa: SLF001  or it would look for it
        try:
            user._authenticate_user_dn(password)  # noqa: SLF001  `authenticate` would make a failure look like a no
        except (user.AuthenticationFailed, *REFUSALS):
            return None
        return _observed(connection, settings, dn, source)


def _entry(connection: LDAPObject, settings: LdapSettings, account: str) -> Row | None:
    """Return the one entry that has this name; None if there is none, or several."""
    name = escape_filter_chars(account)
    logins = "".join(f"({attribute}={name})" for attribute in settings.login_attributes)
    filter_ = f"(&{settings.people_filter}(|{logins}))"
    wanted = [settings.id_attribute]
    rows = paged(connection, settings.people_base, filter_, wanted, page=settings.page, patience=settings.patience)
    found = list(islice(rows, 2))
    return found[0] if len(found) == 1 else None


def _observed(connection: LDAPObject, settings: LdapSettings, dn: str, source: Source) -> Observed | None:
    rows = connection.search_s(dn, ldap.SCOPE_BASE, settings.people_filter, attributes_of(settings))
    entries = [(at, lowered(entry)) for at, entry in rows if at is not None]
    if not entries:
        return None
    at, entry = entries[0]
    person = person_of(at, entry, settings, now=time.time())
    if isinstance(person, Problem):
        raise DirectoryFailed(f"{person.subject}: {person.why}")
    if not settings.keeps_ids and not is_alone(
        connection, settings, settings.people_base, settings.people_filter, person.key
    ):
        raise DirectoryFailed(f"{at}: another entry has the same {settings.id_attribute}")
    groups = _groups(connection, settings, at, source) if settings.groups_base else {}
    told = replace(person, groups=frozenset(groups) if settings.groups_base else None)
    return Observed(people={told.key: told}, groups=groups)


def _groups(connection: LDAPObject, settings: LdapSettings, dn: str, source: Source) -> dict[str, ObservedGroup]:
    """Return the groups that somebody is directly in; of those above, such as we do not know to be above.

    Active Directory is asked for all of them if it is to be: so a nesting that was made since the last run counts.
    """
    direct = _in(connection, settings, settings.member_attribute, dn)
    if settings.flavour != "ad" or not settings.in_chain:
        return direct
    parents: dict[str, set[str]] = {}
    nests = ForeignNest.objects.filter(parent__source=source)
    for child, parent in nests.values_list("child__external_id", "parent__external_id"):
        parents.setdefault(child, set()).add(parent)
    known = above(direct, parents)
    chain = _in(connection, settings, f"{settings.member_attribute}:{IN_CHAIN}:", dn)
    return direct | {key: group for key, group in chain.items() if key not in known}


def _in(connection: LDAPObject, settings: LdapSettings, rule: str, dn: str) -> dict[str, ObservedGroup]:
    filter_ = f"(&{settings.groups_filter}({rule}={escape_filter_chars(dn)}))"
    wanted = [settings.id_attribute, settings.group_name_attribute]
    rows = paged(connection, settings.groups_base, filter_, wanted, page=settings.page, patience=settings.patience)
    found = {}
    for at, entry in rows:
        key = lasting_id(entry, settings.id_attribute)
        if unusable(key, settings) is None:
            found[key] = ObservedGroup(key, first(entry, settings.group_name_attribute), locator=locator_of(at))
    return found
