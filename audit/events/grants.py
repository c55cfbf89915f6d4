"""What happens to grants."""

from dataclasses import dataclass, field

from audit.events.base import Changes, Event, event


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grant(Event):
    """What a grant says: who may do what, where, until when, and from which networks."""

    holder: str
    holder_kind: str
    action: str
    server: str
    tools: tuple[str, ...] = ()
    until: str | None = None
    networks: tuple[str, ...] = ()


@event("grant.given", about="holder", towards="server")
class GrantGiven(_Grant):
    """A person or group was allowed something on a server."""


@event("grant.changed", about="holder", towards="server")
class GrantChanged(_Grant):
    """A grant was narrowed, widened, prolonged or shortened; its fields tell what holds now."""

    changes: Changes = field(default_factory=dict)


@event("grant.removed", about="holder", towards="server")
class GrantRemoved(_Grant):
    """A grant was taken back."""

    reason: str = ""
