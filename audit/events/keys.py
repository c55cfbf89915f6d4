"""What happens to API keys."""

from dataclasses import dataclass, field

from audit.events.base import Changes, Event, event


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key(Event):
    """What identifies an API key without being it: its owner, and the prefix that is shown."""

    person: str
    key: str
    name: str = ""
    scopes: tuple[str, ...] = ()
    expires: str | None = None


@event("key.issued", about="person", towards="key")
class KeyIssued(_Key):
    """An API key was made for a person."""


@event("key.rotated", about="person", towards="key")
class KeyRotated(_Key):
    """An API key took the place of another."""

    previous: str = ""


@event("key.revoked", about="person", towards="key")
class KeyRevoked(_Key):
    """An API key was ended before its time."""

    reason: str = ""


@event("key.changed", about="person", towards="key")
class KeyChanged(_Key):
    """The name, scopes or end of an API key were changed."""

    changes: Changes = field(default_factory=dict)
