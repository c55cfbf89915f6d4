"""The steps for people: who is new, changed, suspended, restored or gone, and what they are in because of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from authz.changes.steps import Ours, PersonStep
from authz.decisions.names import fold
from authz.directory.fitting import MIRRORED, above, reasons
from authz.directory.known import Known, KnownPerson, Somebody
from authz.directory.observed import Observed, ObservedPerson, Problem
from authz.directory.planned_groups import GroupPlan
from authz.errors import InvalidName
from authz.formats.emails import parse_email
from authz.formats.labels import parse_label
from authz.formats.sources import Common

DISABLED = "the directory says that they are disabled"
OURS = "@services.internal"
GONE = "the directory does not have them any more"


@dataclass(slots=True)
class _Work:
    observed: Observed
    known: Known
    settings: Common
    groups: GroupPlan
    emails: dict[str, str]
    """Key to e-mail in its one spelling, of everybody whose e-mail is one."""
    doubled: frozenset[str]
    problems: list[Problem] = field(default_factory=list)


def plan_people(
    observed: Observed, known: Known, settings: Common, groups: GroupPlan
) -> tuple[tuple[PersonStep, ...], tuple[Problem, ...]]:
    """Return the steps for people, and what stands in the way of others."""
    emails: dict[str, str] = {}
    problems = []
    for key, seen in observed.people.items():
        try:
            emails[key] = parse_email(seen.email)
        except InvalidName as error:
            problems.append(Problem(seen.email or seen.locator or key, str(error)))
    often = Counter(emails.values())
    work = _Work(observed, known, settings, groups, emails, frozenset(each for each in often if often[each] > 1))
    work.problems += problems
    memberships = _groups_there(work)
    steps = [
        step
        for key in sorted(memberships)
        if (step := _step(key, memberships[key], work)) is not None and _does_something(step)
    ]
    return tuple(steps), tuple(dict.fromkeys(work.problems))


def _groups_there(work: _Work) -> dict[str, frozenset[str]]:
    """Return the keys of the groups that everybody concerned is directly in there, from now on."""
    observed, known, gone = work.observed, work.known, work.groups.gone
    found: dict[str, set[str]] = {}
    for key in known.people.keys() | observed.people.keys():
        seen, held = observed.people.get(key), known.people.get(key)
        if seen is not None and seen.groups is not None:
            found[key] = set(seen.groups)
        else:
            found[key] = set(held.groups) if held is not None else set()
    for group, seen_group in observed.groups.items():
        if seen_group.members is not None:
            _move(found, group, known.members.get(group, frozenset()), seen_group.members)
    for group, person in observed.joined:
        _move(found, group, frozenset(), frozenset((person,)))
    for group, person in observed.left:
        _move(found, group, frozenset((person,)), frozenset())
    existing = work.groups.called.keys() - gone
    return {key: frozenset(groups & existing) for key, groups in found.items()}


def _move(found: dict[str, set[str]], group: str, before: frozenset[str], after: frozenset[str]) -> None:
    """Take those out of a group who are in it no longer, and put those in who are now; strangers are in nothing."""
    for person in before - after:
        if person in found:
            found[person].discard(group)
    for person in after:
        if person in found:
            found[person].add(group)


def _step(key: str, groups: frozenset[str], work: _Work) -> PersonStep | None:
    seen, held = work.observed.people.get(key), work.known.people.get(key)
    if key in work.observed.unclear:
        return None
    if seen is None:
        if held is None or held.gone:
            return None
        if work.observed.complete or key in work.observed.gone_people:
            return going(held, GONE)
        return _stays(held, groups, work)
    if held is None:
        return _comes(seen, groups, work)
    return _changes(seen, held, groups, work)


def going(held: KnownPerson, why: str) -> PersonStep:
    """Return the step for somebody whom the directory has no longer, or who is to have nothing more of it."""
    return PersonStep(
        held.key,
        held.number,
        held.identity,
        gone=True,
        suspended=why if held.owned and held.active else "",
        left=held.groups,
        removed=frozenset(held.memberships),
        label=held.email,
    )


def _stays(held: KnownPerson, groups: frozenset[str], work: _Work) -> PersonStep:
    """Return what follows for somebody of whom nothing was said but what they are in."""
    step = PersonStep(held.key, held.number, held.identity, label=held.email)
    return _in(step, held, held.attributes if held.owned or held.said_active else None, groups, work)


def _comes(seen: ObservedPerson, groups: frozenset[str], work: _Work) -> PersonStep | None:
    email = work.emails.get(seen.key)
    if email is None:
        return None  # told already
    if email.endswith(OURS):
        work.problems.append(Problem(email, "addresses of this kind are for service accounts of Gatehouse alone"))
        return None
    if email in work.doubled:
        work.problems.append(Problem(email, "several people of the directory have this e-mail; none of them is taken"))
        return None
    number, adopted = None, False
    if (whose := work.known.emails.get(email)) is not None:
        if (why := _not_theirs(whose, work.settings)) is not None:
            work.problems.append(Problem(email, why))
            return None
        number, adopted = whose.number, work.settings.joins == "adopt" and whose.source == "local"
    elif not work.settings.creates_people:
        work.problems.append(Problem(email, "nobody has this e-mail, and the directory may not create people"))
        return None
    owned = number is None or adopted
    step = PersonStep(
        seen.key,
        number,
        None,
        email=email if number is None else "",
        name=_name(seen, work) if owned else None,
        human=seen.human,
        adopted=adopted,
        suspended=DISABLED if owned and not seen.active else "",
        known=_news(seen, None),
        label=email,
    )
    return _in(step, None, seen.attributes if owned or seen.active else None, groups, work)


def _not_theirs(whose: Somebody, settings: Common) -> str | None:
    """Return why somebody's e-mail does not make them a person of ours; None if it does."""
    if whose.identity:
        state = ", who is gone from it" if whose.gone else ""
        return f"the directory has somebody else with this e-mail{state}; remove or rename that person first"
    if settings.joins == "never":
        return f"a person of {whose.source} has this e-mail, and the directory may not join people"
    if not whose.human:
        return "a service account has this e-mail"
    return None


def _changes(seen: ObservedPerson, held: KnownPerson, groups: frozenset[str], work: _Work) -> PersonStep:
    email, name, suspended, restored = "", None, "", False
    if held.owned:
        email = _new_email(seen, held, work)
        wanted = _name(seen, work)
        name = wanted if wanted is not None and wanted != held.name else None
        if not seen.active and held.active:
            suspended = DISABLED
        restored = seen.active and not held.active and held.suspended
    step = PersonStep(
        held.key,
        held.number,
        held.identity,
        email=email,
        name=name,
        suspended=suspended,
        restored=restored,
        known=_news(seen, held),
        label=email or held.email,
    )
    return _in(step, held, seen.attributes if held.owned or seen.active else None, groups, work)


def _new_email(seen: ObservedPerson, held: KnownPerson, work: _Work) -> str:
    email = work.emails.get(seen.key, held.email)
    if email == held.email:
        return ""
    whose = work.known.emails.get(email)
    if email.endswith(OURS):
        work.problems.append(Problem(email, "addresses of this kind are for service accounts of Gatehouse alone"))
        return ""
    if email in work.doubled or (whose is not None and whose.number != held.number):
        why = f"{held.email} has this e-mail now, and somebody else has it already; they keep the one they had"
        work.problems.append(Problem(email, why))
        return ""
    return email


def _name(seen: ObservedPerson, work: _Work) -> str | None:
    """Return their name as it can be shown; None if it cannot."""
    if not seen.name.strip():
        return ""
    try:
        return parse_label(seen.name, what="display name")
    except InvalidName as error:
        work.problems.append(Problem(seen.email or seen.key, str(error)))
        return None


def _news(seen: ObservedPerson, held: KnownPerson | None) -> dict[str, object]:
    """Return what is new in the row by which somebody is known."""
    news: dict[str, object] = {}
    attributes = {name: list(values) for name, values in sorted(seen.attributes.items())}
    if held is None or held.gone:
        news["gone_at"] = None
    if held is None or held.said_active != seen.active:
        news["active"] = seen.active
    if held is None or held.locator != seen.locator:
        news["locator"] = seen.locator
    if held is None or {name: list(values) for name, values in held.attributes.items()} != attributes:
        news["attributes"] = attributes
    if seen.resource is not None and (held is None or held.resource != seen.resource):
        news["resource"] = dict(seen.resource)
    return news if held is None or news else {}


def _in(
    step: PersonStep,
    held: KnownPerson | None,
    attributes: Mapping[str, tuple[str, ...]] | None,
    groups: frozenset[str],
    work: _Work,
) -> PersonStep:
    """Return a step with what they are newly in and no longer in, there and here.

    Without attributes nothing follows from what they are in there: somebody whom the directory has disabled, and whom
    another source owns and so lets in, has nothing of this one.
    """
    wanted: dict[Ours, str] = {}
    if attributes is not None:
        wanted = {ours: MIRRORED for key in sorted(groups) if (ours := work.groups.mirrors.get(key))}
    if attributes is not None and work.known.rules:
        every = above(groups, work.groups.parents)
        called = [
            name
            for key in every
            if (name := work.groups.called.get(key)) is not None and fold(name) not in work.groups.ambiguous
        ]
        for group, reason in reasons(work.known.rules, attributes, called).items():
            wanted.setdefault(group, reason)
    before: Mapping[int, str] = held.memberships if held is not None else {}
    there = held.groups if held is not None else frozenset()
    return replace(
        step,
        joined=groups - there,
        left=there - groups,
        given={ours: reason for ours, reason in wanted.items() if ours not in before},
        removed=frozenset(before.keys() - wanted.keys()),
        explained={
            ours: reason
            for ours, reason in wanted.items()
            if isinstance(ours, int) and ours in before and before[ours] != reason
        },
    )


def _does_something(step: PersonStep) -> bool:
    return bool(
        step.number is None or step.identity is None or step.email or step.name is not None or step.suspended
        or step.restored or step.gone or step.known or step.joined or step.left or step.given or step.removed
        or step.explained
    )  # fmt: skip
