"""Resources as they are answered: what the client wrote, and what is ours to say beside it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from scim2_models import Context, NotFoundException, ResponseParameters

from authz.api.scim.problems import answer
from authz.api.scim.writing import names
from authz.models import ForeignMember

BASE = "/scim/v2"


def base() -> str:
    """Return the address of the server, below the portal's own and never below one that a request names."""
    return f"{settings.PORTAL_URL}{BASE}"


def location(endpoint: str, key: str) -> str:
    """Return the address of a resource."""
    return f"{base()}/{endpoint}/{key}"


def meta(endpoint: str, key: str, created: datetime, changed: datetime, version: str) -> dict[str, str]:
    """Return what is said of a resource itself (RFC 7643 §3.1)."""
    return {
        "resourceType": endpoint.removesuffix("s"),
        "created": moment(created),
        "lastModified": moment(changed),
        "location": location(endpoint, key),
        "version": version,
    }


def moment(at: datetime) -> str:
    """Return a moment in UTC."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parameters(request: HttpRequest, model: Any) -> "ResponseParameters[Any]":  # noqa: ANN401  a type of resource
    """Return which attributes a client wants."""
    found: ResponseParameters[Any] = ResponseParameters[model].model_validate(
        request.GET.dict(), scim_ctx=Context.RESOURCE_QUERY_REQUEST
    )
    return found


def one(
    request: HttpRequest, shown: dict[str, Any], version: str, *, endpoint: str = "", status: int = 200
) -> HttpResponse:
    """Return the answer with one resource; without it, if the client has this version (RFC 7644 §3.14)."""
    headers = {"ETag": version}
    known = request.headers.get("If-None-Match")
    if request.method in {"GET", "HEAD"} and known is not None and names(known, version):
        return answer(None, status=304, headers=headers)
    if endpoint:
        headers["Location"] = location(endpoint, shown["id"])
    return answer(shown, status=status, headers=headers)


def storable(key: str) -> bool:
    """Return whether an id can be looked up at all; PostgreSQL takes no NUL."""
    return "\0" not in key


def missing(endpoint: str, key: str) -> NotFoundException:
    """Return the error that there is no such resource, or none of this client's."""
    return NotFoundException(detail=f"there is no {endpoint.removesuffix('s').lower()} {key}")


def groups_of(identities: Iterable[int]) -> dict[int, list[dict[str, str]]]:
    """Return the groups that people are directly in, in one query."""
    found: defaultdict[int, list[dict[str, str]]] = defaultdict(list)
    rows = ForeignMember.objects.filter(identity__in=identities).order_by("group__name", "group_id")
    for identity, key, name in rows.values_list("identity_id", "group__external_id", "group__name"):
        found[identity].append({"value": key, "$ref": location("Groups", key), "display": name})
    return found
