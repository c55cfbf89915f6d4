"""Reads from the tables what is known of a directory: all of it, or what a push or a sign-in is about."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from authz.decisions.names import fold
from authz.directory.known import Given, Known, KnownGroup, KnownPerson, Somebody
from authz.directory.observed import Observed, ObservedGroup
from authz.errors import InvalidName
from authz.formats.emails import parse_email
from authz.formats.sources import Common
from authz.models import ForeignGroup, ForeignMember, ForeignNest, Group, Identity, Membership, Rule, Source, User

ROWS_AT_ONCE = 20_000
NAMES_AT_ONCE = 500
"""Values in one query; SQLite takes no more than some thousands."""


def everything(source: Source, observed: Observed, settings: Common) -> Known:
    """Return all that is known of a directory."""
    identities = Identity.objects.filter(source=source)
    groups = ForeignGroup.objects.filter(source=source)
    there = ForeignMember.objects.filter(group__source=source)
    given = Membership.objects.filter(source=str(source))
    return _known(source, observed, settings, _rows(identities, groups, there, given), told=frozenset())


def concerned(source: Source, observed: Observed, settings: Common) -> Known:
    """Return what is known of those whom a part of a directory is about, in ever the same number of queries."""
    keys = observed.people.keys() | observed.gone_people | {person for _, person in observed.joined | observed.left}
    told = frozenset(key for key, group in observed.groups.items() if group.members is not None)
    groups = ForeignGroup.objects.filter(source=source)
    identities = Identity.objects.filter(source=source).filter(
        Q(external_id__in=keys | {each for key in told for each in observed.groups[key].members or ()})
        | Q(memberships__group__external_id__in=told | observed.gone_groups, memberships__group__source=source)
    )
    chosen = list(identities.values_list("pk", "person_id").distinct())
    numbers = [pk for pk, _ in chosen]
    return _known(
        source,
        observed,
        settings,
        _rows(
            Identity.objects.filter(pk__in=numbers),
            groups,
            ForeignMember.objects.filter(identity__in=numbers),
            Membership.objects.filter(source=str(source), person__in=[person for _, person in chosen]),
        ),
        told=told,
    )


def _rows(
    identities: QuerySet[Identity],
    groups: QuerySet[ForeignGroup],
    there: QuerySet[ForeignMember],
    given: QuerySet[Membership],
) -> tuple[Any, ...]:
    return (
        identities.values_list(
            "external_id", "pk", "person_id", "person__email", "person__name", "person__is_active", "person__source",
            "active", "suspended", "gone_at", "locator", "attributes", "resource", "version",
        ),
        groups.values_list(
            "external_id", "pk", "name", "group_id", "group__name", "group__source", "locator", "version", "gone_at"
        ),
        there.values_list("identity_id", "group_id"),
        given.values_list("person_id", "group_id", "reason"),
    )  # fmt: skip


def _known(
    source: Source, observed: Observed, settings: Common, rows: tuple[Any, ...], *, told: frozenset[str]
) -> Known:
    identities, groups, there, given = rows
    label = str(source)
    keys: dict[int, str] = {}
    known_groups: dict[str, tuple[Any, ...]] = {}
    for row in groups.iterator(ROWS_AT_ONCE):
        known_groups[row[0]] = row
        keys[row[1]] = row[0]
    children: defaultdict[str, set[str]] = defaultdict(set)
    nests = ForeignNest.objects.filter(parent__source=source).values_list("child_id", "parent_id")
    for child, parent in nests.iterator(ROWS_AT_ONCE):
        if child in keys and parent in keys:
            children[keys[parent]].add(keys[child])
    direct: defaultdict[int, set[str]] = defaultdict(set)
    for identity, group in there.iterator(ROWS_AT_ONCE):
        direct[identity].add(keys[group])
    memberships: defaultdict[int, dict[int, str]] = defaultdict(dict)
    for person, group, reason in given.iterator(ROWS_AT_ONCE):
        memberships[person][group] = reason
    people = {
        row[0]: KnownPerson(
            row[0], row[1], row[2], row[3], row[4], row[5], row[6] == label, row[7], row[8], row[9] is not None,
            row[10], {name: tuple(values) for name, values in row[11].items()}, row[12], row[13],
            frozenset(direct.get(row[1], ())), memberships.get(row[2], {}),
        )
        for row in identities.iterator(ROWS_AT_ONCE)
    }  # fmt: skip
    # What clients wrote is long, and matters only for groups of which something is told.
    written = (key for key, group in observed.groups.items() if group.resource is not None)
    resources = {
        key: resource
        for some in _some(sorted(written))
        for key, resource in ForeignGroup.objects.filter(source=source, external_id__in=some).values_list(
            "external_id", "resource"
        )
    }
    members: defaultdict[str, set[str]] = defaultdict(set)
    for key, person in people.items():
        for group in person.groups:
            if not told or group in told:
                members[group].add(key)
    return Known(
        people=people,
        groups={
            key: KnownGroup(
                key, row[1], row[2], row[3], row[4] or "", row[5] == label, row[6], resources.get(key, {}), row[7],
                frozenset(children.get(key, ())), row[8] is not None,
            )
            for key, row in known_groups.items()
        },
        members={key: frozenset(found) for key, found in members.items()},
        emails=_emails(source, observed),
        names=_names(observed, settings),
        rules=tuple(
            Given(rule.kind, rule.attribute, rule.pattern, rule.group_id, str(rule), rule.group.name)
            for rule in Rule.objects.filter(source=source).select_related("source", "group")
        ),
        label=label,
    )  # fmt: skip


def _emails(source: Source, observed: Observed) -> dict[str, Somebody]:
    """Return whose the observed e-mails are."""
    emails = set()
    for seen in observed.people.values():
        try:
            emails.add(parse_email(seen.email))
        except InvalidName:
            continue
    found = {
        email: Somebody(pk, owner, human=human)
        for some in _some(sorted(emails))
        for email, pk, owner, human in User.objects.filter(email__in=some).values_list(
            "email", "pk", "source", "is_human"
        )
    }
    identities = Identity.objects.filter(source=source)
    by_number = {somebody.number: email for email, somebody in found.items()}
    for some in _some(sorted(by_number)):
        rows = identities.filter(person__in=some).values_list("person_id", "external_id", "gone_at")
        for person, key, gone in rows:
            email = by_number[person]
            found[email] = Somebody(person, found[email].source, key, gone is not None, found[email].human)
    return found


def _names(observed: Observed, settings: Common) -> dict[str, int]:
    wanted = sorted({fold(settings.group_prefix + group.name) for group in observed.groups.values()})
    return {
        folded: pk
        for some in _some(wanted)
        for folded, pk in Group.objects.filter(folded__in=some).values_list("folded", "pk")
    }


def _some(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), NAMES_AT_ONCE):
        yield values[start : start + NAMES_AT_ONCE]


def as_told_before(source: Source) -> Observed:
    """Return the groups of a directory as they are known, to find what follows by today's rules and settings."""
    rows = ForeignGroup.objects.filter(source=source, gone_at=None).values_list("external_id", "name", "locator")
    return Observed(groups={key: ObservedGroup(key, name, locator) for key, name, locator in rows})


def people_of(taken: Iterable[str], source: Source) -> dict[str, User]:
    """Return the people whom a directory knows by these keys."""
    rows = Identity.objects.filter(source=source, external_id__in=list(taken), gone_at=None).select_related("person")
    return {row.external_id: row.person for row in rows}


def groups_of(taken: Iterable[str], source: Source) -> dict[str, ForeignGroup]:
    """Return the rows of the groups that a directory knows by these keys."""
    rows = ForeignGroup.objects.filter(source=source, external_id__in=list(taken)).select_related("group")
    return {row.external_id: row for row in rows}
