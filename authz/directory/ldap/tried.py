"""Tries whether an LDAP directory can be read as its settings say, and tells what it finds."""

import time
from itertools import islice

from authz.changes.sources import secret_of
from authz.directory.ldap.connection import connected
from authz.directory.ldap.entries import attributes_of, person_of
from authz.directory.ldap.paging import paged
from authz.directory.ldap.values import first, lasting_id
from authz.directory.observed import Problem
from authz.directory.tried import Tried
from authz.errors import AuthzError
from authz.formats.sources import LdapSettings, read
from authz.models import Source

SHOWN = 3
"""People and groups that are shown as they would be taken."""


def tried(source: Source) -> list[Tried]:
    """Connect, and read the first few people and groups."""
    found: list[Tried] = []
    what = "connect and sign in as the reader"
    try:
        settings = read(LdapSettings, source.settings)
        with connected(settings, dn=settings.bind_dn, password=secret_of(source)) as connection:
            found.append(Tried(what, fine=True, words=f"as {settings.bind_dn or 'nobody'}"))
            what = "find people"
            rows = paged(
                connection, settings.people_base, settings.people_filter, attributes_of(settings),
                page=settings.page, patience=settings.patience,
            )  # fmt: skip
            people = [person_of(dn, entry, settings, now=time.time()) for dn, entry in islice(rows, SHOWN)]
            found += [
                Tried(what, fine=False, words=f"{each.subject}: {each.why}")
                if isinstance(each, Problem)
                else Tried(what, fine=bool(each.email), words=f"{each.email or 'no e-mail'} ({each.name}), {each.key}")
                for each in people
            ] or [Tried(what, fine=False, words=f"nobody below {settings.people_base} fits {settings.people_filter}")]
            if settings.groups_base:
                what = "find groups"
                wanted = [settings.id_attribute, settings.group_name_attribute]
                rows = paged(
                    connection, settings.groups_base, settings.groups_filter, wanted,
                    page=settings.page, patience=settings.patience,
                )  # fmt: skip
                found += [
                    Tried(
                        what,
                        fine=bool(lasting_id(entry, settings.id_attribute)),
                        words=first(entry, settings.group_name_attribute) or f"{dn} has no name",
                    )
                    for dn, entry in islice(rows, SHOWN)
                ] or [Tried(what, fine=False, words=f"none below {settings.groups_base} fits {settings.groups_filter}")]
    except AuthzError as error:
        found.append(Tried(what, fine=False, words=str(error)))
    return found
