"""The steps for groups: which become ours, which are renamed, nested, or gone."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from authz.changes.steps import GroupStep, Ours
from authz.decisions.names import fold
from authz.directory.known import Known, KnownGroup
from authz.directory.observed import Observed, ObservedGroup, Problem
from authz.errors import InvalidName
from authz.formats.labels import parse_label
from authz.formats.sources import Common


@dataclass(slots=True)
class GroupPlan:
    """The steps for groups, and what those for people need to know of them."""

    steps: list[GroupStep] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    mirrors: dict[str, Ours] = field(default_factory=dict)
    """Key to the group of ours that mirrors it, or will."""
    called: dict[str, str] = field(default_factory=dict)
    """Key to its name there."""
    parents: dict[str, set[str]] = field(default_factory=dict)
    """Key to the keys of the groups that it is directly in."""
    gone: frozenset[str] = frozenset()
    ambiguous: frozenset[str] = frozenset()
    """Folded names that several groups there have: no rule can mean one of them."""
    names: dict[int, str] = field(default_factory=dict)


def plan_groups(observed: Observed, known: Known, settings: Common) -> GroupPlan:
    """Return the steps for groups."""
    made = GroupPlan()
    there = {key: held for key, held in known.groups.items() if not held.gone}
    missing = there.keys() - observed.groups.keys() if observed.complete else frozenset()
    made.gone = frozenset(there.keys() & (missing | observed.gone_groups))
    taken = dict(known.names)
    made.names.update((rule.group, rule.name) for rule in known.rules)
    for key, held in there.items():
        if held.group is not None:
            made.names[held.group] = held.ours
            if key not in made.gone and settings.mirrors_groups:
                made.mirrors[key] = held.group
        if key not in made.gone:
            made.called[key] = held.name
    # In the order of their names: of two that want the same one, it is always the same that gets it.
    for key in sorted(observed.groups, key=lambda each: (observed.groups[each].name, each)):
        made.called[key] = observed.groups[key].name
        made.steps.append(_step(observed.groups[key], known, settings, made, taken))
    made.steps += [
        GroupStep(key, known.groups[key].row, known.groups[key].group, gone=True, label=known.groups[key].name)
        for key in sorted(made.gone)
    ]
    _nest(observed, known, made)
    often = Counter(fold(name) for name in made.called.values())
    made.ambiguous = frozenset(name for name, number in often.items() if number > 1)
    made.problems += [
        Problem(rule.pattern, "several groups of the directory have this name, so the rule fits none of them")
        for rule in known.rules
        if rule.kind == "group" and fold(rule.pattern) in made.ambiguous
    ]
    return made


def _step(seen: ObservedGroup, known: Known, settings: Common, made: GroupPlan, taken: dict[str, int]) -> GroupStep:
    held = known.groups.get(seen.key)
    step = GroupStep(
        seen.key, held.row if held else None, held.group if held else None, label=seen.name, known=_news(seen, held)
    )
    if not settings.mirrors_groups:
        return replace(step, unmirrored=held is not None and held.group is not None)
    if held is not None and held.gone and held.group is not None:
        step = replace(step, reclaimed=True)
        made.mirrors[seen.key], made.names[held.group] = held.group, held.ours
    try:
        wanted = parse_label(settings.group_prefix + seen.name, what="group name")
    except InvalidName as error:
        made.problems.append(Problem(seen.name or seen.key, str(error)))
        return step
    whose = taken.get(fold(wanted))
    if held is not None and held.group is not None:
        if wanted == held.ours or not (held.owned or held.gone):
            return step
        if whose not in {None, held.group}:
            made.problems.append(Problem(seen.name, f"it cannot be renamed: there is a group {wanted!r} already"))
            return step
        taken.pop(fold(held.ours), None)
        taken[fold(wanted)] = held.group
        made.names[held.group] = wanted
        return replace(step, renamed=wanted)
    if whose is not None:
        made.problems.append(
            Problem(seen.name, f"there is a group {wanted!r} already that is not this directory's; name it by a rule")
        )
        return step
    taken[fold(wanted)] = -1
    made.mirrors[seen.key] = seen.key
    return replace(step, mirrored=wanted)


def _news(seen: ObservedGroup, held: KnownGroup | None) -> Mapping[str, object]:
    """Return what is new in the row by which a group is known."""
    news: dict[str, object] = {"gone_at": None} if held is not None and held.gone else {}
    if held is None or held.name != seen.name:
        news["name"] = seen.name[:300]
    if held is None or held.locator != seen.locator:
        news["locator"] = seen.locator
    if seen.resource is not None and (held is None or held.resource != seen.resource):
        news["resource"] = dict(seen.resource)
    return news


def _nest(observed: Observed, known: Known, made: GroupPlan) -> None:
    """Find what is newly nested or no longer; a group that was not told of cannot be nested."""
    for key, held in known.groups.items():
        seen = observed.groups.get(key)
        if held.gone or key in made.gone:
            continue
        children = held.children if seen is None or seen.children is None else seen.children
        for child in children:
            made.parents.setdefault(child, set()).add(key)
    for number, step in enumerate(made.steps):
        seen = observed.groups.get(step.key)
        if step.gone or seen is None or seen.children is None:
            continue
        held_group = known.groups.get(step.key)
        before = held_group.children if held_group is not None and not held_group.gone else frozenset()
        present = frozenset(child for child in seen.children if child in made.called and child != step.key)
        for child in present:
            made.parents.setdefault(child, set()).add(step.key)
        if present != before:
            made.steps[number] = replace(step, children=present - before, orphans=before - present - made.gone)
