"""What a filter or a path may hold: so many terms, text that can be stored, and moments that are moments."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from scim2_models import InvalidFilterException, TooManyException
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    Not,
    Present,
    ValuePath,
)

from authz.api.scim.body import refuse_unstorable

TERMS: Final = 50
"""Comparisons in one filter: each may be made for each of ten thousand resources."""
LONGEST: Final = 10_000
"""Characters of a filter or path; reading one takes a tenth of a second then."""
MOMENTS: Final = frozenset({"meta.created", "meta.lastmodified"})
PARTS_OF_TEXT: Final = frozenset({CompareOperator.co, CompareOperator.sw, CompareOperator.ew})


def refuse_long(text: object) -> None:
    """Refuse a filter or path that is too long even to be read."""
    if isinstance(text, str) and len(text) > LONGEST:
        raise InvalidFilterException(detail=f"it has {len(text)} characters; at most {LONGEST} are allowed")


def check(node: FilterNode | AttrPath | None) -> int:
    """Refuse what the grammar allows and we cannot answer; return how many comparisons there are.

    Text is looked at only now that its escapes have been read.
    """
    found = [] if node is None or isinstance(node, AttrPath) else list(_terms(node))
    if len(found) > TERMS:
        raise TooManyException(detail=f"there are {len(found)} comparisons; at most {TERMS} are allowed")
    for each in found:
        if isinstance(each, Comparison):
            refuse_unstorable(each.value, str(each.attr_path))
            name = f"{each.attr_path.attr}.{each.attr_path.sub_attr}".lower()
            if name in MOMENTS and each.op not in PARTS_OF_TEXT and each.value is not None:
                moment(each.value)
    return len(found)


def moment(value: object) -> datetime:
    """Return a dateTime in UTC (RFC 7643 §2.3.5); without a zone nobody can tell when it is."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        if found is not None and found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InvalidFilterException(detail=f"{value!r} is not a dateTime with a zone, such as 2026-01-31T12:00:00Z")


def _terms(node: FilterNode) -> Iterator[Comparison | Present]:
    match node:
        case LogicalExpr():
            for term in node.terms:
                yield from _terms(term)
        case Not():
            yield from _terms(node.expr)
        case ValuePath():
            yield from _terms(node.val_filter)
        case Comparison() | Present():
            yield node
