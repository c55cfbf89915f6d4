"""Why a decision is what it is: every grant that opens the door, the way to it, and what would change the answer.

Explaining asks the same rules over the same World, never a second opinion; `Explanation.decision` is what `decide`
returns. What it proposes are facts, so that a proposal can be applied to the World and judged again.
"""

from dataclasses import dataclass

from authz.decisions import facts as f
from authz.decisions.applied import applied
from authz.decisions.decide import decide
from authz.decisions.membership import NOBODY, chain, direct_groups
from authz.decisions.rules import covers, opens
from authz.decisions.vocabulary import FOREVER, Action, Decision, Question, Where
from authz.decisions.world import CLOSED, World

MOST_PROPOSALS = 20
"""Ways to allow that are listed; a server granted to hundreds of groups has hundreds of them."""
NEW_GRANT = -1
"""The number of a grant that is only proposed."""


@dataclass(frozen=True, slots=True)
class Opening:
    """One way in which the answer is yes."""

    grant: f.GrantIs
    groups: tuple[int, ...]
    """From a group the person is directly in up to the one that holds the grant; empty if the person holds it."""
    until: float
    """When this way ends by itself."""
    given: bool = False
    """Whether the first group is one that every active person is in without a membership."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with everything behind it."""

    question: Question
    decision: Decision
    openings: tuple[Opening, ...]
    """Every way to a yes, also where an earlier rule said no."""
    revoke: tuple[f.Fact, ...]
    """Facts that, all together, turn a yes into a no; empty where the answer is no."""
    allow: tuple[f.Fact, ...]
    """Facts each of which, alone, turns a no into a yes; empty where no single one does."""


def explain(question: Question, world: World) -> Explanation:
    """Return the decision and the reasons for it; pure and total like `decide`."""
    decision = decide(question, world)
    ways = openings(question, world)
    return Explanation(
        question=question,
        decision=decision,
        openings=ways,
        revoke=_revoking(question, ways) if decision.allowed else (),
        allow=() if decision.allowed else _allowing(question, world),
    )


def openings(question: Question, world: World) -> tuple[Opening, ...]:
    """Return every grant that opens what is asked, each with every direct group that leads to it."""
    if question.who is None or question.target.where is not Where.SERVER:
        return ()
    if (person := world.people.get(question.who.person)) is None:
        return ()
    door = world.doors.get(question.target.server, CLOSED)
    found = [
        Opening(grant, (), FOREVER if grant.until is None else grant.until)
        for grant in door.by_person.get(person.number, ())
        if opens(grant, question)
    ]
    direct = direct_groups(world, person, question.at)
    given = world.given if person.human and person.active else NOBODY
    for start in sorted(given | set(direct)):
        reached = world.ancestors.get(start, NOBODY) & door.groups
        ends = None if start in given else direct[start]
        found += [
            Opening(grant, chain(world, start, group), min(_end(ends), _end(grant.until)), given=start in given)
            for group in sorted(reached)
            for grant in door.by_group[group]
            if opens(grant, question)
        ]
    return tuple(found)


def _end(until: float | None) -> float:
    return FOREVER if until is None else until


def _revoking(question: Question, ways: tuple[Opening, ...]) -> tuple[f.Fact, ...]:
    """Return the narrowest removals that close every way: memberships where there are any, else the grant."""
    who = question.who
    if who is None:
        return ()
    facts: dict[f.Fact, None] = {}
    for way in ways:
        if way.groups and not way.given:
            facts[f.MemberGone(who.person, way.groups[0])] = None
        else:
            facts[f.GrantGone(way.grant.number)] = None
    return tuple(facts)


def _allowing(question: Question, world: World) -> tuple[f.Fact, ...]:
    """Return single facts after which the answer would be yes; each is tried before it is proposed."""
    if question.who is None or question.target.where is not Where.SERVER:
        return ()
    person = world.people.get(question.who.person)
    server = world.servers.get(question.target.server)
    if person is None or server is None:
        return ()
    proposals: list[f.Fact] = []
    if not person.active:
        proposals.append(person._replace(active=True))
    if not server.enabled:
        proposals.append(server._replace(enabled=True))
    if server.switched_off:
        proposals.append(server._replace(switched_off=()))
    door = world.doors.get(server.number, CLOSED)
    proposals += [
        f.MemberIs(person.number, group, None)
        for group in sorted(door.groups - world.given)
        if any(opens(grant, question) for grant in door.by_group[group])
    ][:MOST_PROPOSALS]
    tools = None if question.tool is None or covers((), question.tool) else (question.tool,)
    proposals.append(f.GrantIs(NEW_GRANT, None, person.number, str(question.action), server.number, tools, None, ()))
    return tuple(fact for fact in proposals if decide(question, applied(world, [fact])).allowed)


def sentence(fact: f.Fact, world: World) -> str:
    """Return a proposal in words, such as "add alice@example.com to engineering"."""
    match fact:
        case f.MemberIs(person, group, _):
            return f"add {world.people[person].email} to {world.groups[group].name}"
        case f.MemberGone(person, group):
            return f"remove {world.people[person].email} from {world.groups[group].name}"
        case f.GrantGone(number):
            return f"remove the grant that {grant_sentence(world.grants[number], world)}"
        case f.GrantIs():
            return f"grant that {grant_sentence(fact, world)}"
        case f.PersonIs():
            return f"restore {fact.email}"
        case f.ServerIs() if world.servers[fact.number].enabled:
            return f"switch on the tools of {fact.name}"
        case f.ServerIs():
            return f"switch on {fact.name}"
        case _:
            return repr(fact)


def grant_sentence(grant: f.GrantIs, world: World) -> str:
    """Return a grant in words, such as "engineering may use search (tools: find, read)"."""
    if grant.group is not None:
        holder = world.groups[grant.group].name if grant.group in world.groups else f"group {grant.group}"
    else:
        held = world.people.get(grant.person or 0)
        holder = held.email if held is not None else f"person {grant.person}"
    limits = []
    if grant.tools is not None:
        limits.append(f"tools: {', '.join(grant.tools)}")
    if grant.networks:
        limits.append(f"from {', '.join(grant.networks)}")
    server = world.servers[grant.server].name if grant.server in world.servers else f"server {grant.server}"
    action = Action(grant.action).value
    return f"{holder} may {action} {server}" + (f" ({'; '.join(limits)})" if limits else "")
