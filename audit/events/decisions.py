"""What the sequencer writes: decisions, and lines of a spool that are none."""

from audit.events.base import Event, event


@event("decision.made", about="person", towards="target")
class DecisionMade(Event):
    """A question was answered; `id` is the number the decision had in its spool."""

    id: str
    effect: str
    rule: str
    code: str
    person: str
    credential: str
    action: str
    target: str
    tool: str | None
    address: str
    url: str
    revision: int
    dialect: str

    def verdict(self) -> str:
        """Return allow, deny or sign-in."""
        return self.effect


@event("spool.torn", about="file")
class SpoolTorn(Event):
    """A writer ended within its last line, killed or out of disk space; nobody was answered by what it holds."""

    file: str
    offset: int
    length: int
    hex: str
    sha256: str


@event("spool.damaged", about="file")
class SpoolDamaged(Event):
    """Bytes in a spool were not a decision: the first of them are kept in `hex`, and all of them in `sha256`."""

    file: str
    offset: int
    length: int
    problem: str
    hex: str
    sha256: str
