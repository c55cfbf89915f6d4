"""Lists resources: filtered, sorted, a page at a time (RFC 7644 §3.4.2)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpResponse
from scim2_models import Context, SearchRequest, TooManyException

from authz.api.scim import body
from authz.api.scim.door import Call
from authz.api.scim.expressions import check, refuse_long
from authz.api.scim.filters import Column, narrowed
from authz.api.scim.problems import answer
from authz.models import Source

PAGE: Final = 200
"""Resources in one answer at most, and if the client names no number."""
EVALUATED: Final = 10_000
"""Rows that a filter or an order is looked up in where the database cannot: a second's work."""
SCHEMA: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
AT_ONCE: Final = 500

Rows = Sequence[Any]


@dataclass(frozen=True)
class Listed:
    """A type of resource that can be listed."""

    model: Any
    rows: Callable[[Source], QuerySet[Any]]
    columns: Mapping[str, Column]
    """What the database can be asked, by attributes in lower case."""
    orders: Mapping[str, str]
    """What it can order by."""
    models: Callable[[Source, Rows, "SearchRequest[Any]"], list[Any]]
    """Returns resources with all that a filter or an order looks at."""
    shown: Callable[[Source, Rows, "SearchRequest[Any]"], list[dict[str, Any]]]
    """Returns them as they are answered."""


def listed(call: Call, kind: Listed) -> HttpResponse:
    """Answer `GET /Users?filter=…`."""
    return _found(call, kind, _asked(kind, call.request.GET.dict(), Context.RESOURCE_QUERY_REQUEST))


def searched(call: Call, kind: Listed) -> HttpResponse:
    """Answer `POST /Users/.search`."""
    return _found(call, kind, _asked(kind, body.read(call.request), Context.SEARCH_REQUEST))


def _asked(kind: Listed, said: dict[str, Any], context: Context) -> "SearchRequest[Any]":
    body.refuse_unstorable(said)
    for name, value in said.items():
        if name.lower() == "filter":
            refuse_long(value)
    model: Any = kind.model
    found: SearchRequest[Any] = SearchRequest[model].model_validate(said, scim_ctx=context)
    if found.filter is not None:
        check(found.filter.ast)
    return found


def _found(call: Call, kind: Listed, asked: "SearchRequest[Any]") -> HttpResponse:
    rows = kind.rows(call.source)
    start, most = asked.start_index or 1, min(PAGE if asked.count is None else asked.count, PAGE)
    exact = True
    if asked.filter is not None:
        wanted = narrowed(asked.filter, kind.columns)
        rows, exact = rows.filter(wanted.rows), wanted.exact
    order = _order(kind, asked)
    if exact and order is not None:
        total = rows.count()
        page = list(rows.order_by(*order)[start - 1 : start - 1 + most]) if most and start <= total else []
    else:
        matching = _matching(call, kind, rows, asked, matched=not exact)
        total, page = len(matching), matching[start - 1 : start - 1 + most]
    shown = kind.shown(call.source, page, asked)
    return answer(
        {
            "schemas": [SCHEMA],
            "totalResults": total,
            "startIndex": start,
            "itemsPerPage": len(shown),
            "Resources": shown,
        }
    )


def _order(kind: Listed, asked: "SearchRequest[Any]") -> tuple[str, ...] | None:
    """Return the columns to order by, the oldest first if nothing is asked for; None if they are not columns."""
    if asked.sort_by is None:
        return ("pk",)
    name = str(asked.sort_by).lower().removeprefix(f"{kind.model.__schema__}:".lower())
    if (column := kind.orders.get(name)) is None:
        return None
    descending = asked.sort_order == SearchRequest.SortOrder.descending
    return (f"-{column}", "-pk") if descending else (column, "pk")


def _matching(
    call: Call, kind: Listed, rows: QuerySet[Any], asked: "SearchRequest[Any]", *, matched: bool
) -> list[Any]:
    """Return the rows that match, in their order, by looking at each."""
    found: list[tuple[Any, Any]] = []
    every = iter(rows.order_by("pk")[: EVALUATED + 1].iterator(AT_ONCE))
    seen = 0
    while some := list(islice(every, AT_ONCE)):
        seen += len(some)
        if seen > EVALUATED:
            raise TooManyException(
                detail=f"more than {EVALUATED} resources would have to be looked at; filter by "
                f"{', '.join(sorted(kind.columns))}, or sort by {', '.join(sorted(kind.orders))}"
            )
        for row, model in zip(some, kind.models(call.source, some, asked), strict=True):
            if not matched or asked.filter is None or asked.filter.match(model):
                found.append((model, row))
    if asked.sort_by is None:
        return [row for _, row in found]
    numbered = {id(model): row for model, row in found}
    return [numbered[id(model)] for model in asked.sort([model for model, _ in found])]


def wants(request: Any, name: str) -> bool:  # noqa: ANN401  ResponseParameters of any type
    """Return whether an answer holds an attribute that costs something to find (RFC 7644 §3.9)."""
    if request.attributes:
        return any(_head(path) == name for path in request.attributes)
    return not any(str(path).lower().rpartition(":")[2] == name for path in request.excluded_attributes or ())


def parts(request: Any, name: str, every: Sequence[str]) -> frozenset[str]:  # noqa: ANN401  as above
    """Return which sub-attributes of an attribute an answer holds."""
    asked = [str(path).rpartition(":")[2] for path in request.attributes or ()]
    if asked and not any(each.lower() == name for each in asked):
        return frozenset(part for part in every if f"{name}.{part}".lower() in {each.lower() for each in asked})
    left = {str(path).lower().rpartition(":")[2] for path in request.excluded_attributes or ()}
    return frozenset(part for part in every if f"{name}.{part}".lower() not in left)


def _head(path: Any) -> str:  # noqa: ANN401  a Path of any type
    return str(path).lower().rpartition(":")[2].partition(".")[0]
