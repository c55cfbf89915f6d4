"""What a plan means: who would gain or lose access to what, found by judging a World in which it was done."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from authz.changes.steps import Ours, PersonStep
from authz.decisions import facts as f
from authz.decisions.applied import applied
from authz.decisions.decide import decide
from authz.decisions.membership import groups_of
from authz.decisions.search import question_of, who_can
from authz.decisions.vocabulary import Action, Kind
from authz.decisions.world import World, below
from authz.directory.plan import Plan

JUDGED = 2000
"""People whose access is judged before and after; of more a preview would take minutes, and nobody would read it."""
WATCHED_EVERY = 50
NEW = -1_000_000
"""Numbers of people and groups that are yet to be made go down from here."""


Watch = Callable[[str, int, int], None]
"""Told the stage and how far it is; it may raise to stop."""


def unwatched(_stage: str, _done: int, _all: int) -> None:
    """Tell nobody."""


class Shift(NamedTuple):
    """Somebody would gain or lose something."""

    person: str
    server: str
    action: str
    gains: bool


class Effects(NamedTuple):
    """What a plan means, as far as it was judged."""

    shifts: tuple[Shift, ...]
    judged: int
    concerned: int
    """How many people the plan is about."""


def facts_of(plan: Plan, world: World) -> list[f.Fact]:
    """Return what would hold, as facts."""
    made: dict[str, int] = {}
    found: list[f.Fact] = []
    for number, group in enumerate(plan.groups):
        if group.mirrored:
            made[group.key] = NEW - number
            found.append(f.GroupIs(NEW - number, group.mirrored, everyone=False))
    for step in plan.people[:JUDGED]:
        found += _person(step, world, made)
    ours = {step.key: made.get(step.key, step.group) for step in plan.groups}
    for group in plan.groups:
        parent = ours[group.key]
        children = [ours.get(child) for child in sorted(group.children)]
        found += [f.NestIs(child, parent) for child in children if child is not None and parent is not None]
        orphans = [ours.get(child) for child in sorted(group.orphans)]
        found += [f.NestGone(child, parent) for child in orphans if child is not None and parent is not None]
    return found


def _person(step: PersonStep, world: World, made: dict[str, int]) -> Iterator[f.Fact]:
    number = number_of(step)
    held = world.people.get(number)
    active = not step.suspended and (held is None or held.active or step.restored)
    email = step.email or (held.email if held else step.key)
    yield f.PersonIs(number, held.uid if held else step.key, email, "", active, held.human if held else step.human)
    for group in step.given:
        known: int | None = _number(group, made)
        if known is not None:
            yield f.MemberIs(number, known, None)
    for group in step.removed:
        yield f.MemberGone(number, group)


def number_of(step: PersonStep) -> int:
    """Return the number of a person, or one that nobody has for somebody new."""
    return step.number if step.number is not None else NEW - hash(step.key) % 10**12


def _number(group: Ours, made: dict[str, int]) -> int | None:
    return group if isinstance(group, int) else made.get(group)


def effects(
    plan: Plan,
    world: World,
    *,
    at: float,
    kept: frozenset[tuple[int, int]] = frozenset(),
    watch: Watch = unwatched,
) -> Effects:
    """Return who would gain or lose what; `kept` are the pairs of person and group that others give as well."""
    people = plan.people[:JUDGED]
    facts = [fact for fact in facts_of(plan, world) if not (isinstance(fact, f.MemberGone) and fact[:2] in kept)]
    after = applied(world, facts)
    shifts = []
    for judged, step in enumerate(people):
        if judged % WATCHED_EVERY == 0:
            watch("finding what it means", judged, len(people))
        number = number_of(step)
        before_can, after_can = set(_can(world, number, at)), set(_can(after, number, at))
        email = after.people[number].email
        shifts += [Shift(email, server, action, gains=True) for server, action in sorted(after_can - before_can)]
        shifts += [Shift(email, server, action, gains=False) for server, action in sorted(before_can - after_can)]
    return Effects(tuple(shifts), len(people), len(plan.people))


def _can(world: World, number: int, at: float) -> Iterator[tuple[str, str]]:
    """Return what somebody may do to which server; only doors that one of their groups or they themselves may open."""
    person = world.people.get(number)
    if person is None or not person.active:
        return
    groups = groups_of(world, person, at)
    for server, door in world.doors.items():
        if number not in door.by_person and door.groups.isdisjoint(groups):
            continue
        named = world.servers[server]
        for action in Action:
            if decide(question_of(number, server, action=action, at=at), world).allowed:
                yield named.name, str(action)


def below_what_is_unnested(plan: Plan, world: World) -> int:
    """Return how many people are in groups that would be nested in fewer others than before."""
    parting = {plan.ours[child] for step in plan.groups for child in step.orphans if child in plan.ours}
    gone = [step.group for step in plan.groups if (step.gone or step.unmirrored) and step.group is not None]
    parting |= {child for group in gone for child in world.children.get(group, ())}
    if not parting:
        return 0
    every = {number for group in parting for number in below(world.children, group)}
    lasting = sum(not every.isdisjoint(groups) for groups in world.direct.values())
    return lasting + sum(any(group in every for group, _ in pairs) for pairs in world.timed.values())


def last_administrators(
    plan: Plan, world: World, *, at: float, kept: frozenset[tuple[int, int]] = frozenset()
) -> tuple[str, ...]:
    """Return who would be locked out, if after the plan nobody could administer the portal any more; else nobody."""
    portals = [server.number for server in world.servers.values() if server.kind == Kind.PORTAL]
    before = {person.number for portal in portals for person in who_can(world, portal, action=Action.ADMINISTER, at=at)}
    touched = [step for step in plan.people if step.number in before]
    nests = any(group.orphans or group.gone or group.unmirrored for group in plan.groups)
    if not before or not (touched or nests):
        return ()
    part = Plan(plan.groups, tuple(touched))
    facts = [fact for fact in facts_of(part, world) if not (isinstance(fact, f.MemberGone) and fact[:2] in kept)]
    after = applied(world, facts)
    if any(next(iter(_administrators(after, portal, before, at)), None) is not None for portal in portals):
        return ()
    return tuple(sorted(world.people[number].email for number in before))


def _administrators(world: World, portal: int, among: Iterable[int], at: float) -> Iterator[int]:
    asked = question_of(0, portal, action=Action.ADMINISTER, at=at)
    for number in among:
        if decide(asked._replace(who=question_of(number, portal, at=at).who), world).allowed:
            yield number
