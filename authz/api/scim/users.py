"""`/Users`: people whom a provisioning client creates, reads, changes and removes."""

import uuid
from collections.abc import Callable
from dataclasses import replace as with_
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from scim2_models import Context, PatchOp, UniquenessException
from scim2_models.path import CompareOperator

from authz.api.scim import body
from authz.api.scim.door import Call, answers, tell_ignored
from authz.api.scim.filters import Narrowed, equals, flags, mentions, moments, plain, texts
from authz.api.scim.listing import Listed, Rows, listed, searched, wants
from authz.api.scim.observing import locator_of, observed
from authz.api.scim.patching import FEW, ignored, refuse_many, tolerated
from authz.api.scim.problems import answer
from authz.api.scim.resources import ENTERPRISE, USER, Person
from authz.api.scim.shown import groups_of, meta, missing, one, parameters, storable
from authz.api.scim.writing import TRIES, alone, changed_meanwhile, matches, take_people
from authz.directory.observed import Observed, ObservedPerson
from authz.models import ForeignMember, Identity, Source

HERE = "Users"


def rows(source: Source) -> QuerySet[Identity]:
    """Return those whom a client may see: its own, as long as it has them."""
    return Identity.objects.filter(source=source, gone_at=None).defer("attributes")


def create(call: Call) -> HttpResponse:
    """Create somebody, or bring back somebody whom the client removed before."""
    said = body.read(call.request)
    wanted = parameters(call.request, Person)
    user = Person.model_validate(said, scim_ctx=Context.RESOURCE_CREATION_REQUEST)
    tell_ignored(call, user.unknown_attributes)
    user.active = user.active is not False
    seen = observed("", user, active=user.active)
    with alone():
        key = _key(call.source, seen)
        take_people(call, Observed(people={key: with_(seen, key=key)}))
        row = rows(call.source).get(external_id=key)
    return one(call.request, _shown(call, row, wanted), version(row), endpoint=HERE, status=201)


def show(call: Call, key: str) -> HttpResponse:
    """Return somebody."""
    row = _row(call.source, key)
    return one(call.request, _shown(call, row, parameters(call.request, Person)), version(row))


def replace(call: Call, key: str) -> HttpResponse:
    """Replace what is known of somebody; whether they are active stays as it is if nothing is said of it."""
    said = body.read(call.request)
    wanted = parameters(call.request, Person)
    user = Person.model_validate(said, scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST)
    tell_ignored(call, user.unknown_attributes)
    given = user.active

    def replaced(row: Identity) -> Any:  # noqa: ANN401  a type made by the library
        user.active = row.active if given is None else given
        return user

    return _changed(call, key, wanted, replaced)


def patch(call: Call, key: str) -> HttpResponse:
    """Change some of what is known of somebody."""
    said = tolerated(body.read(call.request), Person, most=FEW)
    refuse_many({each.get("path", "value"): each.get("value") for each in said["Operations"]})
    wanted = parameters(call.request, Person)
    operations = PatchOp[Person].model_validate(said, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
    tell_ignored(call, ignored(said, Person))

    def patched(row: Identity) -> Any:  # noqa: ANN401  as above
        user = _model(row, [])
        for each in operations.operations or []:
            operations.model_copy(update={"operations": [each]}).patch(user)
            refuse_many(user.model_dump())
        return user

    return _changed(call, key, wanted, patched)


def delete(call: Call, key: str) -> HttpResponse:
    """Remove somebody: they are suspended, if they are this client's own, and no longer seen by it."""
    with alone():
        row = _row(call.source, key)
        matches(call.request, version(row))
        take_people(call, Observed(gone_people=frozenset({key})))
    return answer(None, status=204)


def version(row: Identity) -> str:
    """Return the entity tag of somebody."""
    return f'W/"{row.version}"'


def _row(source: Source, key: str) -> Identity:
    row = rows(source).filter(external_id=key).first() if storable(key) else None
    if row is None:
        raise missing(HERE, key)
    return row


def _key(source: Source, seen: ObservedPerson) -> str:
    """Return the id for somebody new: the one they had, if the client removed them before.

    They are the same person to us, with the same keys and grants, and so must not come back as another one. But names
    and addresses are given to new people, and these must not come back as the old ones.
    """
    known = Identity.objects.filter(source=source).filter(Q(locator=seen.locator) | Q(person__email=seen.email))
    held = list(known.select_related("person").defer("attributes"))
    if any(each.gone_at is None for each in held):
        raise UniquenessException(detail="there is a user with this userName or e-mail already")
    same = [each.external_id for each in held if _is_same(each, seen)]
    if not same and any(each.person.email == seen.email for each in held):
        raise UniquenessException(
            detail="a user with this e-mail was removed, and nothing says that it is the same person: externalId "
            "differs, or there is none and userName differs; an administrator removes or renames the former one first"
        )
    return same[0] if same else str(uuid.uuid4())


def _is_same(held: Identity, seen: ObservedPerson) -> bool:
    """Return whether somebody who was removed comes back: by the client's own id, or else by all that there is."""
    before, now = held.resource.get("externalId"), (seen.resource or {}).get("externalId")
    if before or now:
        return bool(before == now)
    return held.locator == seen.locator and held.person.email == seen.email


def _changed(call: Call, key: str, wanted: Any, change: Callable[[Identity], Any]) -> HttpResponse:  # noqa: ANN401  types of the library
    """Change somebody, and return what they are then.

    What becomes of them is worked out while nobody has to wait for it, and done if they are still as they were.
    """
    for _ in range(TRIES):
        row = _row(call.source, key)
        matches(call.request, version(row))
        user = change(row)
        seen = observed(key, user, active=row.active if user.active is None else user.active)
        with alone():
            if _row(call.source, key).version != row.version:
                continue
            if rows(call.source).filter(locator=seen.locator).exclude(pk=row.pk).exists():
                raise UniquenessException(detail=f"there is a user {user.user_name} already")
            take_people(call, Observed(people={key: seen}))
            row = rows(call.source).get(pk=row.pk)
        return one(call.request, _shown(call, row, wanted), version(row))
    raise changed_meanwhile(HERE, key)


def _model(row: Identity, groups: list[dict[str, str]]) -> Any:  # noqa: ANN401  a type made by the library
    resource = dict(row.resource)
    if "active" in resource:
        resource["active"] = row.active
    return Person.model_validate(
        {
            **resource,
            "schemas": [USER, *([ENTERPRISE] if ENTERPRISE in resource else [])],
            "id": row.external_id,
            "groups": groups or None,
            "meta": meta(HERE, row.external_id, row.created_at, row.changed_at, version(row)),
        }
    )


def _shown(call: Call, row: Identity, wanted: Any) -> dict[str, Any]:  # noqa: ANN401  a type of the library
    return _all_shown(call.source, [row], wanted)[0]


def _all_shown(_source: Source, some: Rows, wanted: Any) -> list[dict[str, Any]]:  # noqa: ANN401  as above
    groups = groups_of([row.pk for row in some]) if some and wants(wanted, "groups") else {}
    return [
        _model(row, groups.get(row.pk, [])).model_dump(
            scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=wanted
        )
        for row in some
    ]


def _models(_source: Source, some: Rows, asked: Any) -> list[Any]:  # noqa: ANN401  as above
    groups = groups_of([row.pk for row in some]) if mentions(asked.filter, "groups") else {}
    return [_model(row, groups.get(row.pk, [])) for row in some]


def _is_in(op: CompareOperator, value: Any) -> Narrowed | None:  # noqa: ANN401  whatever a filter compares with
    if op != CompareOperator.eq or (key := plain(value)) is None:
        return None
    # Not by a join: two of them would mean the same group, and one would show somebody once for each that they are in.
    return Narrowed(Q(pk__in=ForeignMember.objects.filter(group__external_id=key).values("identity")), exact=True)


KIND = Listed(
    model=Person,
    rows=rows,
    columns={
        "id": equals("external_id"),
        "username": texts("locator", locator_of),
        "active": flags("active", Q(resource__has_key="active")),
        "externalid": equals("resource__externalId"),
        "displayname": equals("resource__displayName__icontains", exact=False),
        "emails": equals("resource__emails__icontains", exact=False),
        "groups": _is_in,
        "meta.lastmodified": moments("changed_at"),
        "meta.created": moments("created_at"),
    },
    orders={
        "id": "external_id",
        "username": "locator",
        "meta.created": "created_at",
        "meta.lastmodified": "changed_at",
    },
    models=_models,
    shown=_all_shown,
)

collection = answers(GET=lambda call: listed(call, KIND), POST=create)
search = answers(changes=False, POST=lambda call: searched(call, KIND))
item = answers(GET=show, PUT=replace, PATCH=patch, DELETE=delete)
