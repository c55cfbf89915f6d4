"""Reads people and groups from an LDAP server: all of them, or what changed since a cursor."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import ldap
from ldap.ldapobject import LDAPObject

from authz.changes.sources import secret_of
from authz.directory.ldap import cursors
from authz.directory.ldap.connection import connected
from authz.directory.ldap.entries import attributes_of, group_attributes, is_alone, locator_of, person_of, unusable
from authz.directory.ldap.names import SPELLINGS, Names, may_be_below
from authz.directory.ldap.paging import Row, paged, whole
from authz.directory.ldap.values import Entry, first, lasting_id, lowered, no_text, text
from authz.directory.observed import Observed, ObservedGroup, ObservedPerson, Problem
from authz.formats.sources import LdapSettings
from authz.models import ForeignGroup, Identity, Source

log = logging.getLogger(__name__)

Watch = Callable[[str, int, int], None]
MOST_ASKED = 500
"""Entries that a read of what changed asks for one by one; where it would be more, to read everything is less work."""


class TooMuch(Exception):
    """What changed cannot be told without reading nearly everything."""


def read_directory(source: Source, settings: LdapSettings, *, since: str, watch: Watch) -> Observed:
    """Return what a directory shows: everything, or only what changed if `since` is a cursor of this same server.

    Raises DirectoryFailed where a server cannot be reached, is too slow, or shows only a part.
    """
    with connected(settings, dn=settings.bind_dn, password=secret_of(source)) as connection:
        now = cursors.here(connection, settings)
        changed = cursors.changed_since(since, now)
        try:
            return _Reader(connection, source, settings, now=now, changed=changed, watch=watch).all(since)
        except TooMuch:
            log.info("ldap.reads_everything", extra={"directory": str(source)})
            return _Reader(connection, source, settings, now=now, changed="", watch=watch).all(since)


class _Group(NamedTuple):
    dn: str
    name: str
    members: list[str]


class _Kind:
    """What is looked for, and what is known of those that were found."""

    def __init__(self, what: str, base: str, filter_: str, attributes: list[str]) -> None:
        self.what, self.base, self.filter_, self.attributes = what, base, filter_, attributes
        self.names = Names()
        self.dns: dict[str, str] = {}
        """The DN of the entry by which each key was seen first."""
        self.twins: set[str] = set()
        """Keys that several entries have."""
        self.unusable: list[str] = []
        """DNs of entries that cannot be known by their id."""


class _Reader:
    """One read of a directory."""

    def __init__(  # noqa: PLR0913  what a read is made of
        self,
        connection: LDAPObject,
        source: Source,
        settings: LdapSettings,
        *,
        now: cursors.Here,
        changed: str,
        watch: Watch,
    ) -> None:
        self.connection, self.source, self.settings = connection, source, settings
        self.now, self.changed, self.watch = now, changed, watch
        self.server = (*settings.urls, settings.people_base, settings.groups_base)
        self.of_people = _Kind("people", settings.people_base, settings.people_filter, attributes_of(settings))
        self.of_groups = _Kind("groups", settings.groups_base, settings.groups_filter, group_attributes(settings))
        self.people: dict[str, ObservedPerson] = {}
        self.groups: dict[str, _Group] = {}
        self.problems: dict[Problem, None] = {}
        self.moments: list[str] = []
        self.unknown: set[str] = set()
        """DNs under which the server has nothing."""
        self.asked = 0

    def all(self, before: str) -> Observed:
        """Read, and return what was read."""
        for dn, entry in self.rows(self.of_people):
            self.add_person(dn, entry)
        if self.settings.groups_base:
            for dn, entry in self.rows(self.of_groups):
                self.add_group(dn, entry)
            if self.changed and self.groups:
                self.learn_the_others()
                self.find_unknown_members()
        groups = {key: self.group(key, group) for key, group in self.groups.items()}
        return Observed(
            people=self.people,
            groups=groups | self.unclear_groups(),
            complete=not self.changed,
            problems=tuple(self.problems),
            cursor=cursors.next_one(self.now, self.moments, before),
            unclear=self.unclear_people(),
        )

    def rows(self, kind: _Kind) -> Iterator[Row]:
        """Yield every entry that is asked for."""
        return paged(
            self.connection,
            kind.base,
            f"(&{kind.filter_}{self.changed})" if self.changed else kind.filter_,
            kind.attributes,
            page=self.settings.page,
            patience=self.settings.patience,
            seen=lambda number: self.watch(f"reading {kind.what}: {number}", 0, 0),
        )

    def tell(self, subject: str, why: str) -> None:
        """Keep a problem, once."""
        self.problems[Problem(subject, why)] = None

    def add_person(self, dn: str, entry: Entry) -> bool:
        """Take an entry for a person; return whether they can be known by it."""
        settings = self.settings
        person = person_of(dn, entry, settings, now=time.time())
        if isinstance(person, Problem):
            self.problems[person] = None
            self.of_people.unusable.append(dn)
            return False
        self.look_at(dn, entry, person.email or dn, (settings.email_attribute, settings.name_attribute))
        if not self.is_the_only(dn, person.key, self.of_people):
            self.people.pop(person.key, None)
            return False
        self.people[person.key] = person
        self.of_people.names.add(dn, person.key)
        return True

    def add_group(self, dn: str, entry: Entry) -> _Group | None:
        """Take an entry for a group, and return it; None if it cannot be known by its id."""
        settings = self.settings
        key = lasting_id(entry, settings.id_attribute)
        if (why := unusable(key, settings)) is not None:
            self.tell(dn, why)
            self.of_groups.unusable.append(dn)
            return None
        self.look_at(dn, entry, dn, (settings.group_name_attribute,))
        if not self.is_the_only(dn, key, self.of_groups):
            self.groups.pop(key, None)
            return None
        values = whole(self.connection, dn, entry, settings.member_attribute)
        members = [member for value in values if (member := text(value)) is not None]
        self.groups[key] = _Group(dn, first(entry, settings.group_name_attribute), members)
        self.of_groups.names.add(dn, key)
        return self.groups[key]

    def look_at(self, dn: str, entry: Entry, subject: str, names: Sequence[str]) -> None:
        """Keep when an entry changed, and tell what of it cannot be taken."""
        changed = first(entry, "modifyTimestamp")
        self.moments.append(changed)
        if self.now.kind == "time" and cursors.is_yet_to_come(changed, self.now):
            self.tell(dn, f"it says that it changed at {changed}, which is yet to come")
        for name in no_text(entry, names):
            self.tell(subject, f"its {name} is no text (UTF-8 without NUL), and was left out")

    def is_the_only(self, dn: str, key: str, kind: _Kind) -> bool:
        """Return whether no other entry has this id; of several nobody could tell which is the one that is known."""
        before = kind.dns.setdefault(key, dn)
        alone = before == dn
        if alone and self.changed and not self.settings.keeps_ids:
            # The other one may not have changed, and so was not read.
            self.ask()
            alone = is_alone(self.connection, self.settings, kind.base, kind.filter_, key)
        if not alone or key in kind.twins:
            kind.twins.add(key)
            for each in (before, dn):
                kind.names.see(each, key)
                self.tell(each, f"another entry has the same {self.settings.id_attribute}; neither of them is taken")
            return False
        return True

    def ask(self) -> None:
        """Count a question about one entry."""
        self.asked += 1
        if self.asked > MOST_ASKED:
            raise TooMuch

    def learn_the_others(self) -> None:
        """Learn the names of people and groups who did not change and so were not read, but are known from before."""
        people = Identity.objects.filter(source=self.source, gone_at=None).exclude(locator="")
        self.of_people.names.learn(people.values_list("locator", "external_id").iterator())
        groups = ForeignGroup.objects.filter(source=self.source, gone_at=None).exclude(locator="")
        self.of_groups.names.learn(groups.values_list("locator", "external_id").iterator())

    def find_unknown_members(self) -> None:
        """Ask for members whose names are not known: below a folder that was renamed, nothing is told as changed."""
        kinds = ((self.of_people, self.add_person), (self.of_groups, self.add_group))
        looked_for: set[str] = set()
        queue = list(self.groups.values())
        for group in queue:
            for member in group.members:
                if member in looked_for or self.named(member) is not None:
                    continue
                looked_for.add(member)
                fitting = [(kind, add) for kind, add in kinds if may_be_below(member, kind.base)]
                if fitting:
                    self.ask()
                for kind, add in fitting:
                    found = self.entry(member, kind)
                    taken = add(*found) if found is not None else None
                    if found is not None and taken:
                        SPELLINGS.keep(self.source.pk, self.server, member, found[0])
                    if isinstance(taken, _Group):
                        queue.append(taken)
                    if taken:
                        break

    def entry(self, dn: str, kind: _Kind) -> Row | None:
        """Return an entry by its name; None if there is none, or it does not fit."""
        try:
            rows = self.connection.search_s(dn, ldap.SCOPE_BASE, kind.filter_, kind.attributes)
        except (ldap.NO_SUCH_OBJECT, ldap.INVALID_DN_SYNTAX, ldap.REFERRAL):
            return None
        return next(((at, lowered(entry)) for at, entry in rows if at is not None), None)

    def named(self, dn: str) -> tuple[_Kind, str] | None:
        """Return the person or group that a DN names, and its key: the exact spelling, or the server's own."""
        for spelling in (dn, SPELLINGS.of(self.source.pk, self.server, dn)):
            if spelling is not None and (found := self.named_exactly(spelling)) is not None:
                return found
        if not any(kind.names.may_know(dn) for kind in (self.of_people, self.of_groups)):
            return None
        told = self.spelled_by_the_server(dn)
        return self.named_exactly(told) if told is not None else None

    def named_exactly(self, dn: str) -> tuple[_Kind, str] | None:
        """Return the person or group whose DN is spelled exactly so, and its key.

        Where a person and a group may have the DN, one that is only known from before is not to be chosen.
        """
        for kind, other in ((self.of_people, self.of_groups), (self.of_groups, self.of_people)):
            key = kind.names.key(dn)
            if key is not None and (kind.names.was_read(dn) or not other.names.may_know(dn)):
                return kind, key
        return None

    def spelled_by_the_server(self, dn: str) -> str | None:
        """Return how the server spells the DN of an entry; None if it has none of that name."""
        if dn in self.unknown:
            return None
        try:
            rows = self.connection.search_s(dn, ldap.SCOPE_BASE, "(objectClass=*)", ["1.1"])
        except (ldap.NO_SUCH_OBJECT, ldap.INVALID_DN_SYNTAX, ldap.REFERRAL, ldap.INSUFFICIENT_ACCESS):
            rows = []
        told = next((str(at) for at, _ in rows if at is not None), None)
        if told is None:
            self.unknown.add(dn)
        else:
            SPELLINGS.keep(self.source.pk, self.server, dn, told)
        return told

    def group(self, key: str, read: _Group) -> ObservedGroup:
        """Return a group; members that are neither people nor groups of this read are of no concern."""
        inside: set[str] = set()
        below: set[str] = set()
        for member in read.members:
            if (found := self.named(member)) is not None:
                kind, named = found
                (inside if kind is self.of_people else below).add(named)
        members, children = frozenset(inside), frozenset(below - {key})
        return ObservedGroup(key, read.name, locator=locator_of(read.dn), members=members, children=children)

    def unclear_people(self) -> frozenset[str]:
        """Return the keys of people of whom this read cannot tell anything: they are there, in whatever form."""
        found = set(self.of_people.twins)
        if self.of_people.unusable:
            rows = Identity.objects.filter(source=self.source, gone_at=None).exclude(locator="")
            known = Names(rows.values_list("locator", "external_id").iterator())
            found = found.union(*map(known.keys_alike, self.of_people.unusable))
        return frozenset(found - self.people.keys())

    def unclear_groups(self) -> dict[str, ObservedGroup]:
        """Return such groups as they are known: nothing is said of what is in them."""
        twins, unusable_ones = self.of_groups.twins, self.of_groups.unusable
        if not twins and not unusable_ones:
            return {}
        rows = ForeignGroup.objects.filter(source=self.source, gone_at=None)
        known = {key: (name, locator) for key, name, locator in rows.values_list("external_id", "name", "locator")}
        names = Names((locator, key) for key, (_, locator) in known.items() if locator)
        keys = twins.union(*map(names.keys_alike, unusable_ones))
        return {
            key: ObservedGroup(key, known[key][0], locator=known[key][1])
            for key in keys
            if key in known and key not in self.groups
        }
