"""Records each answer in this process's spool, before it is given."""

from audit.spool import Spool
from authz.decisions.vocabulary import Decision, Question
from authz.decisions.world import World

_spools: list[Spool] = []


def spool() -> Spool:
    """Return the spool of this process, opened when the first decision is recorded."""
    if not _spools:
        _spools.append(Spool("edge"))
    return _spools[0]


def close_spool() -> None:
    """Leave the spool to the sequencer; the next decision opens another."""
    while _spools:
        _spools.pop().close()


def record(question: Question, decision: Decision, world: World, *, at: float, url: str, dialect: str) -> None:
    """Append a decision; SpoolUnavailable if that cannot be done, and then it must not be given as an answer."""
    who = question.who
    person = world.people.get(who.person) if who is not None else None
    server = world.servers.get(question.target.server)
    spool().note(
        at=at,
        effect=decision.effect,
        rule=decision.rule,
        code=decision.code,
        person=person.email if person is not None else "",
        credential=who.credential if who is not None else "",
        action=question.action,
        target=server.name if server is not None else "",
        tool=question.tool,
        address=question.address,
        url=url,
        revision=world.revision,
        dialect=dialect,
    )
