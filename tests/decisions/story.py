"""Reads a policy world as it is written in TOML: sentences about people we know."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from authz.decisions import facts as f
from authz.decisions.built import Everything, built
from authz.decisions.search import question_of
from authz.decisions.vocabulary import ANY_TOOL, NO_TOOL, Action, Question
from authz.decisions.world import World

CAST = ("alice", "bob", "carol", "mallory")
USERS = "users"


@dataclass(frozen=True, slots=True)
class Story:
    """A world, and what is expected of it."""

    title: str
    world: World
    allows: tuple[tuple[str, Question], ...]
    denies: tuple[tuple[str, Question, str], ...]


class Numbers(dict[str, int]):
    """Gives each name a number, in the order of first mention."""

    def __missing__(self, name: str) -> int:
        """Give a new name the next number."""
        self[name] = len(self) + 1
        return self[name]


def tell(path: Path) -> Story:
    """Return the story in a file."""
    told: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    people, groups, servers = Numbers(), Numbers(), Numbers()
    for name in (*CAST, *told.get("services", ())):
        people[name]
    groups[USERS]
    kinds = {name.split()[0]: "mcp" for name in told.get("servers", ())}
    kinds |= dict.fromkeys(told.get("capabilities", ()), "capability")
    off = {name.split()[0] for name in told.get("servers", ()) if name.endswith(" off")}
    for name in kinds:
        servers[name]
    grants = [_grant(n, line, people, groups, servers) for n, line in enumerate(told.get("grants", ()), start=1)]
    members = [_member(line, people, groups) for line in told.get("members", ())]
    nests = [tuple(groups[name] for name in line.split(" in ")) for line in told.get("nesting", ())]
    tools: dict[str, list[str]] = {}
    shut: dict[str, list[str]] = {}
    for line in told.get("tools", ()):
        tool, _, server, *rest = line.split()
        tools.setdefault(server, []).append(tool)
        if rest == ["off"]:
            shut.setdefault(server, []).append(tool)
    world = built(
        Everything(
            people=[
                f.PersonIs(
                    number,
                    f"uid-{name}",
                    f"{name}@example.com",
                    name.title(),
                    name not in told.get("suspended", ()),
                    name not in told.get("services", ()),
                )
                for name, number in people.items()
            ],
            groups=[f.GroupIs(number, name, name == USERS) for name, number in groups.items()],
            members=members,
            nests=nests,  # type: ignore[arg-type]  # pairs, as the format has them
            servers=[
                f.ServerIs(
                    number,
                    name,
                    kinds[name],
                    name not in off,
                    "",
                    (),
                    tuple(tools.get(name, ())),
                    switched_off=tuple(shut.get(name, ())),
                )
                for name, number in servers.items()
            ],
            grants=grants,
        ),
        revision=1,
    )
    return Story(
        told["title"],
        world,
        tuple((line, _question(line, people, servers)) for line in told.get("allows", ())),
        tuple(
            (line, _question(line.rpartition(": ")[0], people, servers), line.rpartition(": ")[2])
            for line in told.get("denies", ())
        ),
    )


def _grant(number: int, line: str, people: Numbers, groups: Numbers, servers: Numbers) -> f.GrantIs:
    """Read "engineering may use search tools a* b until 10 from 10.0.0.0/8"."""
    holder, _, action, server, *rest = line.split()
    parts: dict[str, list[str]] = {}
    last: list[str] = []
    for word in rest:
        if word in {"tools", "until", "from"}:
            parts[word] = last = []
        else:
            last.append(word)
    person = people.get(holder)
    return f.GrantIs(
        number,
        None if person else groups[holder],
        person,
        action,
        servers[server],
        tuple(parts["tools"]) if "tools" in parts else None,
        float(parts["until"][0]) if "until" in parts else None,
        tuple(parts.get("from", ())),
    )


def _member(line: str, people: Numbers, groups: Numbers) -> tuple[int, int, float | None]:
    """Read "alice in interns until 50"."""
    person, _, group, *rest = line.split()
    return people[person], groups[group], float(rest[1]) if rest else None


def _question(line: str, people: Numbers, servers: Numbers) -> Question:
    """Read "alice use jira tool get_issue from 10.0.0.1 @ 49.9"."""
    text, _, at = line.partition(" @ ")
    person, action, server, *rest = text.split()
    tool: str | None = ANY_TOOL
    address = ""
    if rest[:3] == ["without", "a", "tool"]:
        tool, rest = NO_TOOL, rest[3:]
    if rest[:1] == ["tool"]:
        tool, rest = rest[1], rest[2:]
    if rest[:1] == ["from"]:
        address, rest = rest[1], rest[2:]
    assert not rest, f"not understood: {line}"
    return question_of(
        people[person], servers[server], action=Action(action), tool=tool, at=float(at or 1), address=address
    )
