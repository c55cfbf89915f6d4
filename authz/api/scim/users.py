"""`/Users`: people whom a provisioning client creates, reads, changes and removes."""

import uuid
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from scim2_models import Context, PatchOp, UniquenessException

from authz.api.scim import body
from authz.api.scim.door import Call, answers, tell_ignored
from authz.api.scim.filters import equals, flags, mentions, moments, texts
from authz.api.scim.listing import Listed, Rows, listed, searched, wants
from authz.api.scim.observing import email_of, locator_of, observed
from authz.api.scim.patching import tolerated
from authz.api.scim.problems import answer
from authz.api.scim.resources import ENTERPRISE, USER, Person
from authz.api.scim.shown import groups_of, meta, missing, one, parameters, storable
from authz.api.scim.writing import alone, matches, take_people
from authz.directory.observed import Observed
from authz.models import Identity, Source

HERE = "Users"


def rows(source: Source) -> QuerySet[Identity]:
    """Return those whom a client may see: its own, as long as it has them."""
    return Identity.objects.filter(source=source, gone_at=None).defer("attributes")


def create(call: Call) -> HttpResponse:
    """Create somebody, or bring back somebody whom the client removed before."""
    said = body.read(call.request)
    wanted = parameters(call.request, Person)
    user = Person.model_validate(said, scim_ctx=Context.RESOURCE_CREATION_REQUEST)
    tell_ignored(call, user)
    active = user.active is not False
    user.active = active
    email = email_of(user)
    with alone():
        key = _key(call.source, user.user_name or "", email)
        take_people(call, Observed(people={key: observed(key, user, active=active)}))
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
    tell_ignored(call, user)
    with alone():
        row = _row(call.source, key)
        matches(call.request, version(row))
        if user.active is None:
            user.active = row.active
        return _written(call, row, user, wanted)


def patch(call: Call, key: str) -> HttpResponse:
    """Change some of what is known of somebody."""
    said = tolerated(body.read(call.request))
    wanted = parameters(call.request, Person)
    operations = PatchOp[Person].model_validate(said, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
    with alone():
        row = _row(call.source, key)
        matches(call.request, version(row))
        user = _model(row, [])
        operations.patch(user)
        return _written(call, row, user, wanted)


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


def _key(source: Source, user_name: str, email: str) -> str:
    """Return the id for somebody new: the one they had, if the client removed them before.

    They are the same person to us, and so must not come back as another one who could not have their address.
    """
    known = Identity.objects.filter(source=source).filter(Q(locator=locator_of(user_name)) | Q(person__email=email))
    held = list(known.values_list("external_id", "gone_at", "person__email"))
    if any(gone is None for _, gone, _ in held):
        raise UniquenessException(detail=f"there is a user {user_name} already, or one with the e-mail {email}")
    same = [key for key, _, theirs in held if theirs == email] or [key for key, _, _ in held]
    return same[0] if same else str(uuid.uuid4())


def _written(call: Call, row: Identity, user: Any, wanted: Any) -> HttpResponse:  # noqa: ANN401  types of the library
    key = row.external_id
    active = row.active if user.active is None else user.active
    seen = observed(key, user, active=active)
    others = rows(call.source).filter(locator=seen.locator).exclude(pk=row.pk)
    if others.exists():
        raise UniquenessException(detail=f"there is a user {user.user_name} already")
    take_people(call, Observed(people={key: seen}))
    row = rows(call.source).get(pk=row.pk)
    return one(call.request, _shown(call, row, wanted), version(row))


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
        "groups": equals("memberships__group__external_id"),
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
