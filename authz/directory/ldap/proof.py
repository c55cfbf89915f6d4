"""Proves a password by an LDAP server, and reads whoever it belongs to with the groups they are in."""

import time

import ldap
from django_auth_ldap.backend import LDAPBackend, _LDAPUser
from django_auth_ldap.config import LDAPSearch, LDAPSettings
from ldap.filter import escape_filter_chars
from ldap.ldapobject import LDAPObject

from authz.changes.sources import secret_of
from authz.directory.fitting import above
from authz.directory.ldap.connection import connected, options, starts_tls, words
from authz.directory.ldap.paging import paged
from authz.directory.ldap.reading import attributes_of, person_of, unusable
from authz.directory.ldap.values import first, lasting_id, lowered
from authz.directory.observed import Observed, ObservedGroup, ObservedPerson, Problem
from authz.errors import DirectoryFailed
from authz.formats.sources import LdapSettings, read
from authz.models import ForeignNest, Source

IN_CHAIN = "1.2.840.113556.1.4.1941"
"""Active Directory's rule for "in it, at any depth" (MS-ADTS §3.1.1.3.4.4.3); other servers know nothing of it."""
LONGEST = 256
"""Characters of a name that somebody signs in with."""


class _Backend(LDAPBackend):  # type: ignore[misc]  # it has no types
    """Django-auth-ldap for one directory: it looks for the entry, and binds with the password."""

    def __init__(self, source: Source, settings: LdapSettings, url: str) -> None:
        logins = "".join(f"({name}=%(user)s)" for name in settings.login_attributes)
        filter_ = settings.people_filter.replace("%", "%%")
        self.settings = LDAPSettings(
            "DIRECTORY_",  # it looks for Django settings that begin so, and there are none
            {
                "SERVER_URI": url,
                "CONNECTION_OPTIONS": options(settings),
                "START_TLS": starts_tls(url, settings),
                "BIND_DN": settings.bind_dn,
                "BIND_PASSWORD": secret_of(source),
                "USER_SEARCH": LDAPSearch(
                    settings.people_base, ldap.SCOPE_SUBTREE, f"(&{filter_}(|{logins}))", ["1.1"]
                ),
            },
        )


def proven(source: Source, account: str, password: str) -> Observed | None:
    """Return the one person whose name and password these are; None if there is none.

    Raises DirectoryFailed where that cannot be known. An empty password is nobody's: to a server it would mean that
    nobody asks (RFC 4513 §5.1.2).
    """
    settings = read(LdapSettings, source.settings)
    if not password or not account or len(account) > LONGEST or "\0" in account + password:
        return None
    with connected(settings, dn=settings.bind_dn, password=secret_of(source)) as connection:
        url = connection._uri  # noqa: SLF001  the one of several that answered
        with words(settings):
            # The reader's own connection is kept: whoever proved a password may see less than the reader does.
            user = _LDAPUser(_Backend(source, settings, url), username=account)
            try:
                user._authenticate_user_dn(password)  # noqa: SLF001  `authenticate` would make a failure look like a no
            except user.AuthenticationFailed:
                return None
            return _observed(connection, settings, user.dn, source)


def _observed(connection: LDAPObject, settings: LdapSettings, dn: str, source: Source) -> Observed | None:
    rows = connection.search_s(dn, ldap.SCOPE_BASE, settings.people_filter, attributes_of(settings))
    entries = [(at, lowered(entry)) for at, entry in rows if at is not None]
    if not entries:
        return None
    at, entry = entries[0]
    person = person_of(at, entry, settings, now=time.time())
    if isinstance(person, Problem):
        raise DirectoryFailed(f"{person.subject}: {person.why}")
    groups = _groups(connection, settings, at, source) if settings.groups_base else {}
    told = ObservedPerson(
        key=person.key, email=person.email, name=person.name, active=person.active, attributes=person.attributes,
        locator=person.locator, groups=frozenset(groups) if settings.groups_base else None,
    )  # fmt: skip
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
        if unusable(key, at, settings) is None:
            found[key] = ObservedGroup(key, first(entry, settings.group_name_attribute), locator=at.lower())
    return found
