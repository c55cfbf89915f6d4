"""What a directory said: people, groups, who is in what there; values alone, whoever read them.

Keys are the directory's lasting ids (a GUID, a subject, a SCIM id), never names: a rename is then a rename.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

NOTHING: Mapping[str, tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True)
class ObservedPerson:
    """Somebody, as the directory has them."""

    key: str
    email: str
    name: str = ""
    active: bool = True
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What rules may look at: names in lower case, values as texts."""
    locator: str = ""
    groups: frozenset[str] | None = None
    """Keys of the groups they are directly in; None where groups tell their members instead."""
    human: bool = True
    resource: Mapping[str, object] | None = None
    """What a SCIM client wrote, kept to be read back; None leaves it as it is."""


@dataclass(frozen=True, slots=True)
class ObservedGroup:
    """A group, as the directory has it."""

    key: str
    name: str
    locator: str = ""
    members: frozenset[str] | None = None
    """Keys of the people directly in it; None where people tell their groups, or nothing was said."""
    children: frozenset[str] | None = None
    """Keys of the groups directly in it; None where nothing was said."""
    description: str = ""
    resource: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something of the directory's that cannot be taken over; the rest can."""

    subject: str
    """Whom or what it is about, as the directory calls it."""
    why: str


@dataclass(frozen=True, slots=True)
class Observed:
    """What was read or pushed at one time."""

    people: Mapping[str, ObservedPerson] = field(default_factory=dict)
    groups: Mapping[str, ObservedGroup] = field(default_factory=dict)
    joined: frozenset[tuple[str, str]] = frozenset()
    """Pairs of group and person by which a group's members grew, where not all of them were told."""
    left: frozenset[tuple[str, str]] = frozenset()
    """Pairs by which they shrank."""
    gone_people: frozenset[str] = frozenset()
    """Whom the directory said that it no longer has."""
    gone_groups: frozenset[str] = frozenset()
    unclear: frozenset[str] = frozenset()
    """Keys of people of whom it cannot be told what the directory says: they stay as they are, and are not gone."""
    complete: bool = False
    """Whether everybody and everything was read to the end: only then is what is missing gone."""
    problems: tuple[Problem, ...] = ()
    cursor: str = ""
    """From where to read on next time; empty if the directory has no such thing."""
