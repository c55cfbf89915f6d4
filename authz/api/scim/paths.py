"""Reads the path of a PATCH operation (RFC 7644 §3.5.2): which attribute it is about, and which values of it."""

from typing import Any, Final, NamedTuple

from scim2_models import InvalidPathException, Path, SCIMException
from scim2_models.path import FilterNode

from authz.api.scim.expressions import check, refuse_long

DISREGARDED: Final = frozenset({"password", "x509certificates", "manager.displayname", "members.display"})
"""Attributes of the standard that we neither read nor keep."""


class Target(NamedTuple):
    """What an operation is about."""

    attribute: str
    """In lower case; empty for the resource as a whole, or an extension of it."""
    part: str = ""
    """A sub-attribute, in lower case."""
    chosen: FilterNode | None = None
    """Which of several values; None for all."""
    root: bool = False
    """Whether it is the resource as a whole."""
    ignored: bool = False
    """Whether nobody here knows it, or keeps it."""
    comparisons: int = 0
    """How many are made for each value."""


def target_of(path: str, model: Any) -> Target:  # noqa: ANN401  a type of resource
    """Return what a path is about; InvalidPathException if it is none, or of an attribute that there is not.

    An attribute of somebody else's schema is ignored, as it is elsewhere (RFC 7644 §3.3). One of a schema of ours is
    a mistake: to answer that it was done would hide that nobody was deactivated, or taken out of a group.
    """
    refuse_long(path)
    try:
        found: Path[Any] = Path[model](path)
    except SCIMException as error:
        raise InvalidPathException(detail=f"{path[:200]} is not a path: {error}") from None
    comparisons = check(found.ast)
    if (designated := found.model) is not None:
        return Target("", root=designated is model)
    names = tuple(name.lower() for name in found.parts)
    if found.resolve() is None:
        ours = {str(model.__schema__).lower(), *(str(urn).lower() for urn in model.get_extension_models())}
        foreign = found.schema is not None and found.schema.lower() not in ours
        if not foreign and not {names[0], ".".join(names)} & DISREGARDED:
            raise InvalidPathException(detail=f"{path[:200]}: there is no such attribute")
        return Target(names[0], "".join(names[1:]), ignored=True)
    return Target(names[0], "".join(names[1:]), found.value_filter, comparisons=comparisons)
