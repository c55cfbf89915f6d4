"""Records each answer in this process's spool, before it is given."""

from collections.abc import Callable

from audit.spool import Spool, prepared
from authz.decisions.vocabulary import Decision, Question
from authz.decisions.world import World

_spools: list[Spool] = []

Record = Callable[[bytes, float], None]
"""Takes what `about` wrote down of a decision, and when it was made, in seconds since 1970. It raises SpoolUnavailable,
or whoever gave it sees to it that the answer waits until all that it took is recorded."""


def spool() -> Spool:
    """Return the spool of this process, opened when the first decision is recorded."""
    if not _spools:
        _spools.append(Spool("edge"))
    return _spools[0]


def close_spool() -> None:
    """Leave the spool to the sequencer; the next decision opens another."""
    while _spools:
        _spools.pop().close()


def written(question: Question, decision: Decision, world: World, dialect: str) -> str:
    """Return a decision as the spool keeps it, but for its time and its URL."""
    who = question.who
    person = world.people.get(who.person) if who is not None else None
    server = world.servers.get(question.target.server)
    return prepared(
        effect=decision.effect,
        rule=decision.rule,
        code=decision.code,
        person=person.email if person is not None else "",
        credential=who.credential if who is not None else "",
        action=question.action,
        target=server.name if server is not None else "",
        tool=question.tool,
        address=question.address,
        revision=world.revision,
        dialect=dialect,
    )


def record(rest: bytes, at: float) -> None:
    """Append what was written about a decision; SpoolUnavailable if it cannot be, and then it must not be given."""
    spool().append(rest, at=at)
