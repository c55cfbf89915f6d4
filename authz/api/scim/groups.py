"""`/Groups`: groups that a provisioning client creates, reads, changes and removes, and who is in them."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpResponse
from scim2_models import Context, InvalidValueException, PatchOp

from authz.api.scim import body
from authz.api.scim.door import Call, answers
from authz.api.scim.filters import Column, Narrowed, equals, mentions, moments, plain
from authz.api.scim.listing import Listed, Rows, listed, parts, searched, wants
from authz.api.scim.observing import kept
from authz.api.scim.patching import MANY, Members, apart, ids, tolerated
from authz.api.scim.problems import answer
from authz.api.scim.resources import GROUP, Group
from authz.api.scim.shown import location, meta, missing, one, parameters, storable
from authz.api.scim.writing import TRIES, about_rules_left_out, alone, changed_meanwhile, conflict, matches
from authz.directory.fitting import fits
from authz.directory.known import Given
from authz.directory.observed import Observed, ObservedGroup
from authz.directory.taken import take
from authz.formats.labels import parse_label
from authz.formats.sources import ScimSettings, read
from authz.models import ForeignGroup, ForeignMember, ForeignNest, Identity, Rule, Source

HERE = "Groups"
PARTS = ("value", "$ref", "type")
AT_ONCE = 5000
"""Ids in one query."""


class Named(NamedTuple):
    """Which of some ids are people's, and which are groups'."""

    people: frozenset[str]
    groups: frozenset[str]


def rows(source: Source) -> QuerySet[ForeignGroup]:
    """Return the groups that a client may see: its own."""
    return ForeignGroup.objects.filter(source=source)


def create(call: Call) -> HttpResponse:
    """Create a group, with its members if it has any."""
    said, members = _without_members(body.read(call.request, most=body.LARGE))
    wanted = parameters(call.request, Group)
    group = Group.model_validate(said, scim_ctx=Context.RESOURCE_CREATION_REQUEST)
    key = str(uuid.uuid4())
    with alone():
        named = _named(call.source, members or set())
        _take(call, _observed(call, key, group, named), name=group.display_name or "")
        row = rows(call.source).get(external_id=key)
    return _answered(call, row, wanted, endpoint=HERE, status=201)


def show(call: Call, key: str) -> HttpResponse:
    """Return a group."""
    return _answered(call, _row(call.source, key), parameters(call.request, Group))


def replace(call: Call, key: str) -> HttpResponse:
    """Replace a group; its members stay as they are if nothing is said of them, and an empty list says something."""
    said, members = _without_members(body.read(call.request, most=body.LARGE))
    wanted = parameters(call.request, Group)
    group = Group.model_validate(said, scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST)
    with alone():
        row = _row(call.source, key)
        matches(call.request, _versions([row])[row.pk])
        named = None if members is None else _named(call.source, members)
        _take(call, _observed(call, key, group, named), name=group.display_name or "", before=row.name)
        row = _row(call.source, key)
    return _answered(call, row, wanted)


def patch(call: Call, key: str) -> HttpResponse:
    """Change a group; of its members only those are read whom it names."""
    said, members = apart(tolerated(body.read(call.request, most=body.LARGE), Group, most=MANY))
    wanted = parameters(call.request, Group)
    operations = (
        PatchOp[Group].model_validate(said, scim_ctx=Context.RESOURCE_PATCH_REQUEST) if said["Operations"] else None
    )
    for _ in range(TRIES):
        before = _row(call.source, key)
        group = _model(before, "")
        if operations is not None:
            operations.patch(group)
        with alone():
            row = _row(call.source, key)
            matches(call.request, _versions([row])[row.pk])
            if (row.name, row.resource) != (before.name, before.resource):
                continue  # what the operations looked at has changed since
            _take(call, _changed(call, row, group, members), name=group.display_name or "", before=row.name)
            row = _row(call.source, key)
        return _answered(call, row, wanted)
    raise changed_meanwhile(HERE, key)


def delete(call: Call, key: str) -> HttpResponse:
    """Remove a group, and with it what it gave to its members."""
    with alone():
        row = _row(call.source, key)
        matches(call.request, _versions([row])[row.pk])
        take(call.source, Observed(gone_groups=frozenset({key})), by=call.actor)
    return answer(None, status=204)


def _without_members(said: dict[str, Any]) -> tuple[dict[str, Any], set[str] | None]:
    """Return a group apart from the ids of its members, None where nothing is said of them."""
    named = [name for name in said if name.lower() == "members"]
    found = said[named[0]] if named else None
    return {name: value for name, value in said.items() if name not in named}, None if found is None else ids(found)


def _row(source: Source, key: str) -> ForeignGroup:
    row = rows(source).filter(external_id=key).first() if storable(key) else None
    if row is None:
        raise missing(HERE, key)
    return row


def _named(source: Source, keys: set[str]) -> Named:
    """Return whom and what some ids name; one that is nobody's of this client is refused by name."""
    people: set[str] = set()
    groups: set[str] = set()
    ordered = sorted(keys)
    for start in range(0, len(ordered), AT_ONCE):
        some = ordered[start : start + AT_ONCE]
        people |= set(
            Identity.objects.filter(source=source, gone_at=None, external_id__in=some).values_list(
                "external_id", flat=True
            )
        )
        groups |= set(rows(source).filter(external_id__in=some).values_list("external_id", flat=True))
    if unknown := sorted(keys - people - groups):
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""  # noqa: PLR2004  enough to find the mistake
        raise InvalidValueException(detail=f"members: there is no user or group {', '.join(unknown[:5])}{more}")
    return Named(frozenset(people), frozenset(groups))


def _observed(call: Call, key: str, group: Group, named: Named | None) -> Observed:
    """Return a group as it is from now on; with `named`, with all its members."""
    name = _name(call.source, group)
    members, children = (named.people, named.groups) if named is not None else (None, None)
    if children is not None and key in children:
        raise InvalidValueException(detail=f"members: {key} is the group itself")
    seen = ObservedGroup(key=key, name=name, members=members, children=children, resource=kept(group))
    return Observed(groups={key: seen})


def _name(source: Source, group: Group) -> str:
    """Return the name of a group; InvalidName says why it cannot be one of ours."""
    prefix = read(ScimSettings, source.settings).group_prefix
    name = parse_label(group.display_name or "", what="displayName")
    parse_label(prefix + name, what="displayName")
    return name


def _changed(call: Call, row: ForeignGroup, group: Group, members: Members) -> Observed:
    """Return what a PATCH made of a group."""
    key = row.external_id
    # Whoever is taken out need not be there any more.
    named = _named(call.source, members.joined)
    if members.everybody:
        return _observed(call, key, group, named)
    observed = _observed(call, key, group, None)
    if members.untouched:
        return observed
    before = frozenset(ForeignNest.objects.filter(parent=row).values_list("child__external_id", flat=True))
    children = (before | named.groups) - members.left
    if key in children:
        raise InvalidValueException(detail=f"members: {key} is the group itself")
    seen = observed.groups[key]
    return Observed(
        groups={
            key: ObservedGroup(
                key=key,
                name=seen.name,
                children=children if children != before else None,
                resource=seen.resource,
            )
        },
        joined=frozenset((key, person) for person in named.people),
        left=frozenset((key, person) for person in members.left - before),
    )


def _take(call: Call, observed: Observed, *, name: str, before: str | None = None) -> None:
    """Bring a group in step; a name that is another group's is a conflict, unless a rule says what the group means."""
    taken = take(call.source, observed, by=call.actor)
    problems = about_rules_left_out(call.source, taken.problems)
    if (
        problems
        and (name == before or _has_rule(call.source, name))
        and _is_called_otherwise(call.source, taken.groups)
    ):
        # That its name is another's was so before, or is meant to be so. It is told first, and once.
        about_name = next((each for each in problems if each.subject == name), None)
        problems = tuple(each for each in problems if each is not about_name)
    if problems:
        raise conflict(call, problems, f"the group {name} cannot be taken over as it was sent")


def _is_called_otherwise(source: Source, some: dict[str, ForeignGroup]) -> bool:
    """Return whether a group has no group of ours by its name."""
    prefix = read(ScimSettings, source.settings).group_prefix
    return any(row.group is None or row.group.name != prefix + row.name for row in some.values())


def _has_rule(source: Source, name: str) -> bool:
    rules = Rule.objects.filter(source=source, kind=Rule.GROUP)
    return any(fits(Given(rule.kind, "", rule.pattern, rule.group_id, ""), {}, [name]) for rule in rules)


def _versions(some: Rows) -> dict[int, str]:
    """Return the entity tags of groups.

    How many members there are, and the newest of them, tell two states of one group apart: rows are added with higher
    numbers and never change, so a state in which neither differs is the same one.
    """
    numbers = [row.pk for row in some]
    people = _extent(ForeignMember.objects.filter(group__in=numbers).values_list("group"))
    nested = _extent(ForeignNest.objects.filter(parent__in=numbers).values_list("parent"))
    return {
        row.pk: 'W/"{}.{}.{}.{}.{}"'.format(row.version, *people.get(row.pk, (0, 0)), *nested.get(row.pk, (0, 0)))
        for row in some
    }


def _extent(each: QuerySet[Any, Any]) -> dict[int, tuple[int, int]]:
    found = each.annotate(number=Count("pk"), newest=Max("pk")).order_by()
    return {group: (number, newest) for group, number, newest in found}


def members_of(numbers: Iterable[int]) -> dict[int, list[dict[str, str]]]:
    """Return who and what is directly in groups, in two queries."""
    found: defaultdict[int, list[dict[str, str]]] = defaultdict(list)
    numbers = list(numbers)
    people, groups = location("Users", ""), location(HERE, "")
    for group, key in (
        ForeignMember.objects.filter(group__in=numbers, identity__gone_at=None)
        .order_by("pk")
        .values_list("group_id", "identity__external_id")
    ):
        found[group].append({"value": key, "$ref": people + key, "type": "User"})
    for group, key in (
        ForeignNest.objects.filter(parent__in=numbers).order_by("pk").values_list("parent_id", "child__external_id")
    ):
        found[group].append({"value": key, "$ref": groups + key, "type": "Group"})
    return found


def _model(row: ForeignGroup, version: str) -> Group:
    return Group.model_validate(
        {
            **row.resource,
            "schemas": [GROUP],
            "id": row.external_id,
            "displayName": row.name,
            "meta": meta(HERE, row.external_id, row.created_at, row.changed_at, version),
        }
    )


def _answered(call: Call, row: ForeignGroup, wanted: Any, **more: Any) -> HttpResponse:  # noqa: ANN401  types of the library
    shown = _all_shown(call.source, [row], wanted)[0]
    return one(call.request, shown, _versions([row])[row.pk], **more)


def _all_shown(_source: Source, some: Rows, wanted: Any) -> list[dict[str, Any]]:  # noqa: ANN401  a type of the library
    if not some:
        return []
    versions = _versions(some)
    names = parts(wanted, "members", PARTS) if wants(wanted, "members") else frozenset()
    members = members_of(row.pk for row in some) if names else {}
    found = []
    for row in some:
        shown = _model(row, versions[row.pk]).model_dump(
            scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=wanted
        )
        # Ten thousand members need no validation: they are rows of ours.
        if theirs := members.get(row.pk):
            shown["members"] = (
                theirs
                if len(names) == len(PARTS)
                else [{name: each[name] for name in PARTS if name in names} for each in theirs]
            )
        found.append(shown)
    return found


def _models(_source: Source, some: Rows, asked: Any) -> list[Any]:  # noqa: ANN401  as above
    members = members_of(row.pk for row in some) if mentions(asked.filter, "members") else {}
    models = [_model(row, "") for row in some]
    for row, model in zip(some, models, strict=True):
        if row.pk in members:
            model.members = members[row.pk]  # type: ignore[assignment]  # the library makes them what they are
    return models


def _has_member(op: Any, value: Any) -> Narrowed | None:  # noqa: ANN401  whatever a filter compares with
    if op != "eq" or (key := plain(value)) is None:
        return None
    people = ForeignMember.objects.filter(identity__external_id=key, identity__gone_at=None).values("group")
    groups = ForeignNest.objects.filter(child__external_id=key).values("parent")
    return Narrowed(Q(pk__in=people) | Q(pk__in=groups), exact=True)


COLUMNS: dict[str, Column] = {
    "id": equals("external_id"),
    "displayname": equals("name__iexact", exact=False),
    "externalid": equals("resource__externalId"),
    "members": _has_member,
    "meta.lastmodified": moments("changed_at"),
    "meta.created": moments("created_at"),
}
KIND = Listed(
    model=Group,
    rows=rows,
    columns=COLUMNS,
    orders={
        "id": "external_id",
        "meta.created": "created_at",
        "meta.lastmodified": "changed_at",
    },
    models=_models,
    shown=_all_shown,
)

collection = answers(GET=lambda call: listed(call, KIND), POST=create)
search = answers(changes=False, POST=lambda call: searched(call, KIND))
item = answers(GET=show, PUT=replace, PATCH=patch, DELETE=delete)
