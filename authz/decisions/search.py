"""The two searches: who can reach this, and what can this person reach.

Both end in `decide` for every result, so a search can never say what a request would not be told.
"""

from dataclasses import dataclass

from authz.decisions.decide import decide
from authz.decisions.facts import PersonIs, ServerIs
from authz.decisions.rules import opens
from authz.decisions.vocabulary import ANY_TOOL, NO_TOOL, Action, Principal, Question, Target, Where
from authz.decisions.world import CLOSED, World, below


@dataclass(frozen=True, slots=True)
class Reach:
    """What somebody may do to one server."""

    server: ServerIs
    actions: tuple[Action, ...]
    """What they may do to it as a whole."""
    tools: tuple[str, ...]
    """Where they may not use it as a whole: the registered tools they may call, provided a call proves its tool."""


def question_of(  # noqa: PLR0913  one argument for each part of a question
    person: int, server: int, *, action: Action = Action.USE, tool: str | None = ANY_TOOL, at: float, address: str = ""
) -> Question:
    """Return the question whether a person, by whatever credential, may do this."""
    return Question(Principal(person, "search"), action, Target(Where.SERVER, server), at, tool, address)


def who_can(  # noqa: PLR0913  one argument for each part of a question
    world: World, server: int, *, action: Action = Action.USE, tool: str | None = ANY_TOOL, at: float, address: str = ""
) -> list[PersonIs]:
    """Return everybody for whom the answer is yes, ordered by e-mail address."""
    door = world.doors.get(server, CLOSED)
    asked = question_of(0, server, action=action, tool=tool, at=at, address=address)
    leading: set[int] = set()
    for group, grants in door.by_group.items():
        if any(opens(grant, asked) for grant in grants):
            leading.update(below(world.children, group))
    candidates = set(door.by_person)
    if leading & world.given:
        candidates.update(world.people)
    else:
        candidates.update(person for person, groups in world.direct.items() if not leading.isdisjoint(groups))
        candidates.update(
            person for person, pairs in world.timed.items() if any(group in leading for group, _ in pairs)
        )
    found = [
        person
        for number in candidates
        if (person := world.people.get(number)) is not None
        and decide(asked._replace(who=Principal(number, "search")), world).allowed
    ]
    return sorted(found, key=lambda person: person.email)


def what_can(world: World, person: int, *, at: float, address: str = "") -> list[Reach]:
    """Return every server a person can reach, wholly or by some of its tools, ordered by name."""
    found = []
    for server in world.servers.values():
        asked = question_of(person, server.number, at=at, address=address)
        actions = tuple(action for action in Action if decide(asked._replace(action=action), world).allowed)
        tools: tuple[str, ...] = ()
        if Action.USE not in actions and decide(asked._replace(tool=NO_TOOL), world).allowed:
            tools = tuple(name for name in server.tools if decide(asked._replace(tool=name), world).allowed)
        if actions or tools:
            found.append(Reach(server, actions, tools))
    return sorted(found, key=lambda reach: reach.server.name)
