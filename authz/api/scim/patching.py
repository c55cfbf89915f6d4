"""PATCH as clients in use send it, put into the words of RFC 7644 §3.5.2, and what it does to a group's members."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from scim2_models import (
    InvalidFilterException,
    InvalidPathException,
    InvalidSyntaxException,
    InvalidValueException,
    NoTargetException,
    TooManyException,
)
from scim2_models.path import CompareOperator, Comparison, FilterNode, LogicalExpr, LogicalOperator

from authz.api.scim.paths import Target, target_of
from authz.api.scim.resources import ENTERPRISE, GROUP, USER, Group, flag, manager

FEW: Final = 100
"""Operations on one person, and comparisons in their paths; Entra sends some twenty."""
MANY: Final = 1000
"""Operations on one group, whose members may come one by one."""
VALUES: Final = 200
"""Values that an operation may give to an attribute of a person, and that they may have."""
ACTIVE: Final = frozenset({"active", f"{USER}:active".lower()})
MANAGER: Final = f"{ENTERPRISE}:manager".lower()
SEVERAL: Final = frozenset({"emails", "phonenumbers", "ims", "photos", "addresses", "entitlements", "roles", "members"})
"""Attributes of several values, of which a remove may list some."""
ROOT: Final = Target("", root=True)


def tolerated(said: dict[str, Any], model: Any, *, most: int) -> dict[str, Any]:  # noqa: ANN401  a type of resource
    """Return a PATCH with its operations as the standard would have them."""
    operations = [each for operation in _operations(said, most) for each in _spelled_out(operation, model)]
    paths = [each["path"] for each in operations if each.get("path")]
    if (comparisons := sum(target_of(path, model).comparisons for path in paths)) > most:
        raise TooManyException(detail=f"the paths hold {comparisons} comparisons; at most {most} are allowed")
    return {name: value for name, value in said.items() if name.lower() != "operations"} | {"Operations": operations}


def ignored(said: dict[str, Any], model: Any) -> list[str]:  # noqa: ANN401  a type of resource
    """Return the paths in a tolerated PATCH that nobody here knows, or keeps."""
    paths = [operation["path"] for operation in said["Operations"] if operation.get("path")]
    return [path for path in paths if target_of(path, model).ignored]


def _operations(said: dict[str, Any], most: int) -> list[dict[str, Any]]:
    found = next((value for name, value in said.items() if name.lower() == "operations"), None)
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) for each in found):
        raise InvalidSyntaxException(detail="Operations is a list of one operation or more")
    if len(found) > most:
        raise InvalidValueException(detail=f"there are {len(found)} operations; at most {most} are allowed")
    return [{name.lower(): value for name, value in each.items()} for each in found]


def _spelled_out(operation: dict[str, Any], model: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401  as above
    path, value = operation.get("path"), operation.get("value")
    if path is not None and not isinstance(path, str):
        raise InvalidPathException(detail="path is a text")
    path = (path or "").strip()
    target = target_of(path, model) if path else ROOT
    said: dict[str, Any] = {name: operation[name] for name in ("op", "value") if name in operation}
    if not target.root:
        said["path"] = path
        if path.lower() in ACTIVE and "value" in said:
            said["value"] = _boolean(value)
        if path.lower() == MANAGER and "value" in said:
            said["value"] = manager(value)
            if said["value"] is None:
                said = {"op": "remove", "path": path}
        if str(operation.get("op")).lower() == "remove" and (target.attribute not in SEVERAL or target.chosen):
            # Entra says along what it takes away; only among several values that is a choice.
            said.pop("value", None)
        yield said
        return
    if isinstance(value, dict):
        # A key may be a path with a filter (Entra), which only stands for an operation of its own.
        value = {name: _boolean(each) if name.lower() in ACTIVE else each for name, each in value.items()}
        chosen = {name: each for name, each in value.items() if "[" in name}
        rest = {name: each for name, each in value.items() if name not in chosen}
        if rest or not chosen:
            yield said | {"value": rest}
        for name, each in chosen.items():
            yield {"op": operation.get("op"), "path": name.strip(), "value": each}
        return
    yield said


def _boolean(value: Any) -> Any:  # noqa: ANN401  as it was sent
    """Return a Boolean; the library takes 1 for one where it compares it with what is there, for Python does."""
    try:
        return flag(value)
    except ValueError as error:
        raise InvalidValueException(detail=f"active: {error}") from None


@dataclass
class Members:
    """What a PATCH does to the members of a group, in the order of its operations."""

    everybody: bool = False
    """Whether those who are not named are no longer in it."""
    joined: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)

    def add(self, some: set[str]) -> None:
        """Put some in."""
        self.joined |= some
        self.left -= some

    def remove(self, some: set[str]) -> None:
        """Take some out."""
        self.joined -= some
        self.left |= some

    def replace(self, some: set[str]) -> None:
        """Take everybody out, and put some in."""
        self.everybody, self.joined, self.left = True, set(some), set()

    @property
    def untouched(self) -> bool:
        """Return whether nothing was said of them."""
        return not (self.everybody or self.joined or self.left)


def apart(said: dict[str, Any]) -> tuple[dict[str, Any], Members]:
    """Return a PATCH of a group without its members, and apart from it what happens to these.

    So that one of ten thousand can be taken out without reading the others.
    """
    members, rest = Members(), []
    for operation in said["Operations"]:
        op, path = str(operation.get("op")).lower(), operation.get("path", "")
        target = target_of(path, Group) if path else ROOT
        if target.attribute == "members":
            _one(members, op, target, operation)
            continue
        value = operation.get("value")
        if not path and isinstance(value, dict):
            named = [name for name in value if name.lower() in {"members", f"{GROUP}:members".lower()}]
            if named and op == "remove":
                raise NoTargetException(detail="a remove needs a path: it says what is removed")
            for name in named:
                _one(members, op, Target("members"), {"value": value[name]})
            if named:
                if remaining := {name: each for name, each in value.items() if name not in named}:
                    rest.append(operation | {"value": remaining})
                continue
        rest.append(operation)
    return said | {"Operations": rest}, members


def _one(members: Members, op: str, target: Target, operation: dict[str, Any]) -> None:
    if op not in {"add", "remove", "replace"}:
        raise InvalidValueException(detail=f"{op!r} is not a PATCH operation: add, remove or replace")
    if target.part or (target.chosen is not None and op != "remove"):
        raise NoTargetException(detail="a member is added or removed, and has nothing to be changed")
    if target.chosen is not None:
        members.remove(_named(target.chosen))
    elif op == "remove" and operation.get("value") is None:
        members.replace(set())
    elif op == "remove":
        members.remove(ids(operation["value"]))
    elif op == "replace":
        # An empty list says that nobody is left; what merely looks empty may as well be a mistake.
        members.replace(ids(operation.get("value")))
    else:
        members.add(ids(operation.get("value")))


def ids(value: Any) -> set[str]:  # noqa: ANN401  as it was sent
    """Return the ids in a list of members, or in a single one."""
    found = set()
    for each in value if isinstance(value, list) else [value]:
        folded = {name.lower(): inner for name, inner in each.items()} if isinstance(each, dict) else {}
        key = folded.get("value")
        if not isinstance(key, str) or not key:
            raise InvalidValueException(detail="members: each is an object with the id of a user or group as value")
        found.add(key)
    return found


def _named(node: FilterNode) -> set[str]:
    if isinstance(node, LogicalExpr) and node.op == LogicalOperator.or_:
        return {key for term in node.terms for key in _named(term)}
    if (
        isinstance(node, Comparison)
        and node.op == CompareOperator.eq
        and node.attr_path.attr.lower() == "value"
        and isinstance(node.value, str)
    ):
        return {node.value}
    raise InvalidFilterException(detail='members are chosen by their id alone: members[value eq "…"]')


def refuse_many(value: Any, path: str = "") -> None:  # noqa: ANN401  anything that JSON can say
    """Refuse an attribute with more values than anybody has: each operation on one looks at all of them."""
    if isinstance(value, list) and len(value) > VALUES:
        raise InvalidValueException(detail=f"{path or 'value'} has {len(value)} values; at most {VALUES} are allowed")
    for name, inner in value.items() if isinstance(value, dict) else ():
        refuse_many(inner, f"{path}.{name}".lstrip("."))
