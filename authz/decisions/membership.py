"""Who is in which group, at any depth, at a given instant.

Each person keeps their *direct* groups, each group the set of itself and all groups above it (Zanzibar's Leopard
index); being in a group is then one union and one look-up, as fast to deny as to allow, however deep the nesting.
"""

from typing import Final

from authz.decisions.facts import PersonIs
from authz.decisions.vocabulary import FOREVER
from authz.decisions.world import Door, Leading, World, below

NOBODY: Final[frozenset[int]] = frozenset()


def standing(world: World, person: PersonIs, at: float) -> tuple[frozenset[int], float, float]:
    """Return the groups a person is in at `at`, and the span [since, until) in which that does not change by itself."""
    number = person.number
    remembered: tuple[frozenset[int], float, float] | None = world.memory.standings.get(number)
    if remembered is not None and remembered[1] <= at < remembered[2]:
        return remembered
    since, until = -FOREVER, FOREVER
    direct = world.direct.get(number, ())
    for group, ends in world.timed.get(number, ()):
        if at < ends:
            direct = (*direct, group)
            until = min(until, ends)
        else:
            since = max(since, ends)
    ancestors = world.ancestors
    own = world.everyone if person.human and person.active else NOBODY
    found = (own.union(*[ancestors.get(group, NOBODY) for group in direct]), since, until)
    world.memory.standings.keep(number, found)
    return found


def leading(world: World, server: int, door: Door) -> Leading:
    """Return every group whose members are in one that holds a grant on a server, with those that hold one.

    It is worked out once for as long as neither the grants on the server nor any nesting change: a person's ten groups
    are then ten look-ups in one place, and not in the ancestors of ten groups that nobody has touched lately.
    """
    held = world.leading.get(server)
    if held is not None and held[0] is door and held[1] is world.children:
        return held[2]
    found: dict[int, tuple[int, ...]] = {}
    for group in sorted(door.groups):
        for number in below(world.children, group):
            found[number] = (*found.get(number, ()), group)
    world.leading[server] = (door, world.children, found)
    return found


def holding(world: World, person: PersonIs, server: int, door: Door, at: float) -> dict[int, float]:
    """Return which of the groups that hold a grant on a server a person is in at `at`, and until when."""
    towards = leading(world, server, door)
    found: dict[int, float] = {}
    direct = world.direct.get(person.number, ())
    if not towards.keys().isdisjoint(direct):  # one step where most have nothing to find
        for group in direct:
            for reached in towards.get(group, ()):
                found[reached] = FOREVER
    for group, ends in world.timed.get(person.number, ()):
        if at < ends:
            for reached in towards.get(group, ()):
                found[reached] = max(ends, found.get(reached, ends))
    if person.human and person.active:
        for reached in world.everyone & door.groups:
            found[reached] = FOREVER
    return found


def groups_of(world: World, person: PersonIs, at: float) -> frozenset[int]:
    """Return the numbers of all groups a person is in at `at`, directly or through nesting."""
    return standing(world, person, at)[0]


def direct_groups(world: World, person: PersonIs, at: float) -> dict[int, float | None]:
    """Return the groups a person is directly in at `at`, each with the end of that membership or None."""
    found: dict[int, float | None] = dict.fromkeys(world.direct.get(person.number, ()))
    found.update((group, ends) for group, ends in world.timed.get(person.number, ()) if at < ends)
    return found


def chain(world: World, start: int, goal: int) -> tuple[int, ...]:
    """Return the shortest way up from one group to another through nesting, both included; empty if there is none."""
    came: dict[int, int] = {start: start}
    edge = [start]
    while edge and goal not in came:
        following = []
        for child in edge:
            for parent in sorted(world.parents.get(child, NOBODY)):
                if parent not in came:
                    came[parent] = child
                    following.append(parent)
        edge = following
    if goal not in came:
        return ()
    path = [goal]
    while path[-1] != start:
        path.append(came[path[-1]])
    return tuple(reversed(path))
