"""Reads people and groups from an LDAP server: all of them, or what changed since a cursor."""

import time
from collections.abc import Callable, Iterator, Sequence

from ldap.ldapobject import LDAPObject

from authz.changes.sources import secret_of
from authz.directory.ldap import cursors
from authz.directory.ldap.connection import connected
from authz.directory.ldap.names import Names
from authz.directory.ldap.paging import Row, paged, whole
from authz.directory.ldap.values import Entry, first, is_active, kept, lasting_id, text
from authz.directory.observed import Observed, ObservedGroup, ObservedPerson, Problem
from authz.formats.sources import LdapSettings
from authz.models import ForeignGroup, Identity, Source

Watch = Callable[[str, int, int], None]
LONGEST = {"key": 255, "locator": 1000}


def read_directory(source: Source, settings: LdapSettings, *, since: str, watch: Watch) -> Observed:
    """Return what a directory shows: everything, or only what changed if `since` is a cursor of this same server.

    Raises DirectoryFailed where a server cannot be reached, is too slow, or shows only a part.
    """
    with connected(settings, dn=settings.bind_dn, password=secret_of(source)) as connection:
        now = cursors.here(connection, settings)
        changed = cursors.changed_since(since, now)
        reader = _Reader(connection, source, settings, changed, watch)
        people = reader.people()
        groups = reader.groups() if settings.groups_base else {}
        return Observed(
            people=people,
            groups=groups,
            complete=not changed,
            problems=tuple(reader.problems),
            cursor=cursors.next_one(now, reader.moments, since),
        )


class _Reader:
    """One read of a directory."""

    def __init__(
        self, connection: LDAPObject, source: Source, settings: LdapSettings, changed: str, watch: Watch
    ) -> None:
        self.connection, self.source, self.settings, self.changed, self.watch = (
            connection, source, settings, changed, watch,
        )  # fmt: skip
        self.problems: list[Problem] = []
        self.moments: list[str] = []
        self.names = Names()

    def rows(self, base: str, filter_: str, attributes: Sequence[str], what: str) -> Iterator[Row]:
        """Yield every entry that is asked for."""
        return paged(
            self.connection,
            base,
            f"(&{filter_}{self.changed})" if self.changed else filter_,
            attributes,
            page=self.settings.page,
            patience=self.settings.patience,
            seen=lambda number: self.watch(f"reading {what}: {number}", 0, 0),
        )

    def people(self) -> dict[str, ObservedPerson]:
        """Return everybody, and remember what they are called."""
        found: dict[str, ObservedPerson] = {}
        now = time.time()
        settings = self.settings
        for dn, entry in self.rows(settings.people_base, settings.people_filter, attributes_of(settings), "people"):
            self.moments.append(first(entry, "modifyTimestamp"))
            person = person_of(dn, entry, settings, now=now)
            if isinstance(person, Problem):
                self.problems.append(person)
                continue
            found[person.key] = person
            self.names.add(dn, person.key)
        return found

    def groups(self) -> dict[str, ObservedGroup]:
        """Return every group with all that is in it."""
        settings = self.settings
        wanted = (settings.id_attribute, settings.group_name_attribute, settings.member_attribute, "modifyTimestamp")
        rows: list[tuple[str, str, str, Sequence[bytes]]] = []
        for dn, entry in self.rows(settings.groups_base, settings.groups_filter, wanted, "groups"):
            self.moments.append(first(entry, "modifyTimestamp"))
            key = lasting_id(entry, settings.id_attribute)
            if (why := unusable(key, dn, settings)) is not None:
                self.problems.append(Problem(dn, why))
                continue
            name = first(entry, settings.group_name_attribute)
            rows.append((dn, key, name, whole(self.connection, dn, entry, settings.member_attribute)))
        nested = Names((dn, key) for dn, key, *_ in rows)
        if self.changed and rows:
            # Members who did not change were not read, but are known from before.
            people = Identity.objects.filter(source=self.source, gone_at=None).exclude(locator="")
            self.names.learn(people.values_list("locator", "external_id").iterator())
            others = ForeignGroup.objects.filter(source=self.source).exclude(locator="")
            nested.learn(others.values_list("locator", "external_id").iterator())
        return {row[1]: self.group(*row, nested) for row in rows}

    def group(self, dn: str, key: str, name: str, members: Sequence[bytes], nested: Names) -> ObservedGroup:
        """Return a group; members that are neither people nor groups of this read are of no concern."""
        inside, below = set(), set()
        for value in members:
            member = text(value)
            if (person := self.names.as_spelled(member)) is not None:
                inside.add(person)
            elif (group := nested.as_spelled(member)) is not None:
                below.add(group)
            elif (person := self.names.key(member)) is not None:
                inside.add(person)
            elif (group := nested.key(member)) is not None:
                below.add(group)
        members_there, children = frozenset(inside), frozenset(below - {key})
        return ObservedGroup(key, name, locator=dn.lower(), members=members_there, children=children)


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


def person_of(dn: str, entry: Entry, settings: LdapSettings, *, now: float) -> ObservedPerson | Problem:
    """Return somebody as their entry has them; a Problem if the directory gives them no lasting id."""
    key = lasting_id(entry, settings.id_attribute)
    if (why := unusable(key, dn, settings)) is not None:
        return Problem(dn, why)
    return ObservedPerson(
        key=key,
        email=first(entry, settings.email_attribute),
        name=first(entry, settings.name_attribute),
        active=is_active(entry, settings, now=now),
        attributes=kept(entry, settings.kept_attributes),
        locator=dn.lower(),
    )


def unusable(key: str, dn: str, settings: LdapSettings) -> str | None:
    """Return why an entry cannot be known by its id and its DN; None if it can."""
    if not key:
        return f"it has no {settings.id_attribute}, by which it could be known again"
    if len(key) > LONGEST["key"] or not key.isprintable():
        return f"its {settings.id_attribute} is no id"
    if len(dn) > LONGEST["locator"]:
        return f"its DN has more than {LONGEST['locator']} characters"
    return None
