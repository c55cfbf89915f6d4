"""What we hold of a directory: whom and what it told us before, and what follows from that here."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Somebody whom the directory told us of before."""

    key: str
    identity: int
    number: int
    email: str
    name: str
    active: bool
    """Whether they are let in here."""
    owned: bool
    """Whether the directory owns their name, e-mail and active flag."""
    said_active: bool = True
    """Whether the directory said that they are active."""
    suspended: bool = False
    """Whether it was the directory that suspended them."""
    gone: bool = False
    locator: str = ""
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    resource: Mapping[str, object] = field(default_factory=dict)
    version: int = 1
    groups: frozenset[str] = frozenset()
    """Keys of the groups there that they are directly in."""
    memberships: Mapping[int, str] = field(default_factory=dict)
    """Groups of ours that the directory put them in, each with the reason."""


@dataclass(frozen=True, slots=True)
class KnownGroup:
    """A group that the directory told us of before."""

    key: str
    row: int
    name: str
    group: int | None = None
    """Ours that mirrors it."""
    ours: str = ""
    """The name of ours."""
    owned: bool = True
    """Whether ours came from this directory, so that its name follows."""
    locator: str = ""
    resource: Mapping[str, object] = field(default_factory=dict)
    version: int = 1
    children: frozenset[str] = frozenset()
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person of ours who has an e-mail that the directory tells of."""

    number: int
    source: str
    identity: str = ""
    """The key by which the directory knows them, if it does."""
    gone: bool = False
    human: bool = True


@dataclass(frozen=True, slots=True)
class Given:
    """A rule: who fits it is in a group of ours."""

    kind: str
    attribute: str
    pattern: str
    group: int
    sentence: str
    name: str = ""
    """What that group is called."""


@dataclass(frozen=True, slots=True)
class Known:
    """What we hold of a directory, as far as it matters for what was observed."""

    people: Mapping[str, KnownPerson] = field(default_factory=dict)
    groups: Mapping[str, KnownGroup] = field(default_factory=dict)
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Keys of the people in a group there, for each group whose members were told."""
    emails: Mapping[str, Somebody] = field(default_factory=dict)
    """Whose the e-mails are that were observed."""
    names: Mapping[str, int] = field(default_factory=dict)
    """Folded names of groups of ours that the directory's would have, to their numbers."""
    rules: tuple[Given, ...] = ()
    label: str = ""
    """What the directory is called beside whatever comes from it."""
