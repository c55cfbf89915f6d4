"""What the server can do, and what its resources are made of (RFC 7644 §4)."""

from functools import cache
from typing import Any, Final

from django.http import HttpResponse
from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    Context,
    ETag,
    Filter,
    ForbiddenException,
    NotFoundException,
    NotImplementedException,
    Patch,
    Required,
    ResourceType,
    ServiceProviderConfig,
    Sort,
)

from authz.api.scim.door import Call, answers
from authz.api.scim.listing import PAGE, SCHEMA
from authz.api.scim.problems import answer
from authz.api.scim.resources import USER, EnterpriseUser, Group, Person, User
from authz.api.scim.shown import base

CONFIG: Final = ServiceProviderConfig(
    patch=Patch(supported=True),
    bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
    filter=Filter(supported=True, max_results=PAGE),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=True),
    etag=ETag(supported=True),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="Bearer token",
            description="The token of a directory, as an administrator issues it.",
            primary=True,
        )
    ],
)


def _answered(found: Any, kind: str, key: str = "") -> dict[str, Any]:  # noqa: ANN401  any of the three
    shown: dict[str, Any] = found.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    place = f"{base()}/{kind}s/{key}" if key else f"{base()}/{kind}"
    return shown | {"meta": {"resourceType": kind, "location": place}}


@cache
def _schemas() -> dict[str, dict[str, Any]]:
    found = {}
    for model in (User, EnterpriseUser, Group):
        schema = model.to_schema()
        if schema.id == USER:
            for attribute in schema.attributes or []:
                # A userName that is an address is enough, but whoever goes by this sends one in any case.
                if attribute.name == "emails":
                    attribute.required = Required.true
                    for part in attribute.sub_attributes or []:
                        part.required = Required.true if part.name == "value" else Required.false
        found[str(schema.id)] = _answered(schema, "Schema", str(schema.id))
    return found


@cache
def _types() -> dict[str, dict[str, Any]]:
    kinds = [ResourceType.from_resource(Person), ResourceType.from_resource(Group)]
    return {str(kind.name): _answered(kind, "ResourceType", str(kind.name)) for kind in kinds}


def config(_call: Call) -> HttpResponse:
    """Return what the server can do."""
    return answer(_answered(CONFIG, "ServiceProviderConfig"))


def all_of(call: Call, found: dict[str, dict[str, Any]]) -> HttpResponse:
    """Return every schema or type of resource; a filter is refused, as RFC 7644 §4 has it."""
    if "filter" in call.request.GET:
        raise ForbiddenException(detail="what describes the server cannot be filtered")
    listed = list(found.values())
    number = len(listed)
    return answer(
        {"schemas": [SCHEMA], "totalResults": number, "startIndex": 1, "itemsPerPage": number, "Resources": listed}
    )


def one_of(key: str, found: dict[str, dict[str, Any]]) -> HttpResponse:
    """Return one of them, by its name in any case."""
    for name, shown in found.items():
        if name.lower() == key.lower():
            return answer(shown)
    raise NotFoundException(detail=f"there is no {key}")


def _nothing(_call: Call, **_parts: str) -> HttpResponse:
    raise NotFoundException(detail="there is nothing at this address")


def _unsupported(_call: Call, **_parts: str) -> HttpResponse:
    raise NotImplementedException(detail="this is not supported; see ServiceProviderConfig")


EVERY: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
provider = answers(GET=config)
schemas = answers(GET=lambda call: all_of(call, _schemas()))
schema = answers(GET=lambda _call, key: one_of(key, _schemas()))
types = answers(GET=lambda call: all_of(call, _types()))
kind = answers(GET=lambda _call, key: one_of(key, _types()))
unsupported = answers(changes=False, **dict.fromkeys(EVERY, _unsupported))
nothing = answers(changes=False, **dict.fromkeys(EVERY, _nothing))
