"""Filters of RFC 7644 §3.4.2.2, as far as the database can answer them; the rest is matched over what it leaves."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django.db.models import Q
from scim2_models import ScimFilter
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)

from authz.api.scim.body import is_storable
from authz.api.scim.expressions import moment


class Narrowed(NamedTuple):
    """What the database is asked: at least all rows that match, and if `exact` no others."""

    rows: Q
    exact: bool


Column = Callable[[CompareOperator, Any], Narrowed | None]
"""Returns what to ask of a column, or None if it cannot be asked this."""
EVERYTHING = Narrowed(Q(), exact=False)


def narrowed(scim: "ScimFilter[Any]", columns: Mapping[str, Column]) -> Narrowed:
    """Return what of a filter the database can answer."""
    return _narrow(scim.ast, columns)


def mentions(scim: "ScimFilter[Any] | None", name: str) -> bool:
    """Return whether a filter looks at an attribute."""
    return scim is not None and any(each.attr.lower() == name for each in _paths(scim.ast))


def _paths(node: FilterNode) -> list[AttrPath]:
    match node:
        case LogicalExpr():
            return [path for term in node.terms for path in _paths(term)]
        case Not():
            return _paths(node.expr)
        case Comparison() | Present() | ValuePath():
            return [node.attr_path]
    return []


def _narrow(node: FilterNode, columns: Mapping[str, Column]) -> Narrowed:
    match node:
        case Comparison():
            return _compared(_name(node.attr_path), node, columns)
        case LogicalExpr(op=LogicalOperator.and_):
            found = [_narrow(term, columns) for term in node.terms]
            asked = Q()
            for each in found:
                asked &= each.rows
            return Narrowed(asked, exact=all(each.exact for each in found))
        case LogicalExpr():
            found = [_narrow(term, columns) for term in node.terms]
            if any(each.rows == Q() for each in found):
                return EVERYTHING
            asked = Q()
            for each in found:
                asked |= each.rows
            return Narrowed(asked, exact=all(each.exact for each in found))
        case ValuePath():
            return _selected(node, columns)
    # Not and pr: what is absent is absent in different ways in different databases.
    return EVERYTHING


def _selected(node: ValuePath, columns: Mapping[str, Column]) -> Narrowed:
    """Narrow by the value alone: `emails[type eq "work" and value eq "x"]` is among those who have x."""
    inner = node.val_filter
    terms = inner.terms if isinstance(inner, LogicalExpr) and inner.op == LogicalOperator.and_ else (inner,)
    for term in terms:
        if isinstance(term, Comparison) and term.attr_path.attr.lower() == "value" and not term.attr_path.sub_attr:
            found = _compared(_name(node.attr_path), term, columns)
            return Narrowed(found.rows, exact=found.exact and len(terms) == 1)
    return EVERYTHING


def _compared(name: str, node: Comparison, columns: Mapping[str, Column]) -> Narrowed:
    column = columns.get(name)
    return (column(node.op, node.value) if column is not None else None) or EVERYTHING


def _name(path: AttrPath) -> str:
    """Return the name of an attribute in lower case; one of several values is compared by their `value`."""
    name = path.attr.lower()
    if path.sub_attr and path.sub_attr.lower() != "value":
        name += f".{path.sub_attr.lower()}"
    return (
        f"{path.uri.lower()}:{name}"
        if path.uri and not path.uri.lower().endswith((":2.0:user", ":2.0:group"))
        else name
    )


def plain(text: object) -> str | None:
    """Return a text that every database stores and compares in one way, also inside JSON."""
    return (
        text if isinstance(text, str) and text.isascii() and text.isprintable() and not set(text) & set('"\\') else None
    )


def equals(lookup: str, form: Callable[[str], str] = str, *, exact: bool = True) -> Column:
    """Return that a column can be asked for equality."""

    def column(op: CompareOperator, value: Any) -> Narrowed | None:  # noqa: ANN401  whatever a filter compares with
        text = plain(value)
        return Narrowed(Q(**{lookup: form(text)}), exact) if op == CompareOperator.eq and text else None

    return column


def texts(lookup: str, form: Callable[[str], str] = str) -> Column:
    """Return that a column of text can be asked for what it holds, or a part of it; case does not matter then."""
    some = {CompareOperator.co: "icontains", CompareOperator.sw: "istartswith", CompareOperator.ew: "iendswith"}

    def column(op: CompareOperator, value: Any) -> Narrowed | None:  # noqa: ANN401  whatever a filter compares with
        if op == CompareOperator.eq and isinstance(value, str) and is_storable(value):
            return Narrowed(Q(**{lookup: form(value)}), exact=True)
        if op not in some or not (text := plain(value)):
            return None
        return Narrowed(Q(**{f"{lookup}__{some[op]}": text}), exact=False)

    return column


def flags(lookup: str, present: Q) -> Column:
    """Return that a column can be asked for a yes or no, which only counts where it is present."""

    def column(op: CompareOperator, value: Any) -> Narrowed | None:  # noqa: ANN401  whatever a filter compares with
        known = {"true": True, "false": False}.get(str(value).lower())
        return (
            Narrowed(Q(**{lookup: known}) & present, exact=True)
            if op == CompareOperator.eq and known is not None
            else None
        )

    return column


def moments(lookup: str) -> Column:
    """Return that a column can be asked for what is before and after a moment; to the second, and so never exactly."""
    after = {CompareOperator.gt: "gte", CompareOperator.ge: "gte", CompareOperator.lt: "lte", CompareOperator.le: "lte"}

    def column(op: CompareOperator, value: Any) -> Narrowed | None:  # noqa: ANN401  whatever a filter compares with
        if op not in after or value is None:
            return None
        return Narrowed(Q(**{f"{lookup}__{after[op]}": moment(value)}), exact=False)

    return column
