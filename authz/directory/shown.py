"""A plan in words: what a preview shows, and what a run's report keeps.

    {"counts": {"people_created": 2, …},
     "people": {"gained": ["dora@example.com", …], "lost": […], "changed": […]},
     "groups": {"gained": […], "lost": […], "changed": […]},
     "memberships": {"given": ["dora@example.com: engineering, interns", …], "removed": […]},
     "access": {"gained": ["dora@example.com may use search", …], "lost": […], "judged": 2, "concerned": 2}}

Each list holds at most MOST lines; `counts` tells how many there are.
"""

from collections.abc import Iterable
from typing import Any

from authz.changes.steps import Ours, PersonStep
from authz.directory.effects import Effects
from authz.directory.plan import Plan

MOST = 200
"""Lines of each list; nobody reads more of them, and the counts tell how many there are."""


def shown(plan: Plan, meant: Effects | None = None) -> dict[str, Any]:
    """Return a plan in words; without effects, nothing is said of access."""
    mirrored = {step.key: step.mirrored or step.label for step in plan.groups}

    def named(groups: Iterable[Ours]) -> str:
        return ", ".join(
            sorted(plan.names.get(g, str(g)) if isinstance(g, int) else mirrored.get(g, g) for g in groups)
        )

    people, groups = plan.people, plan.groups
    told: dict[str, Any] = {
        "counts": plan.counts(),
        "people": {
            "gained": _some(_gained(step) for step in people if step.number is None or step.restored or _joins(step)),
            "lost": _some(
                f"{step.label}: {step.suspended or 'gone'}" for step in people if step.suspended or step.gone
            ),
            "changed": _some(_changed(step) for step in people if step.edits),
        },
        "groups": {
            "gained": _some(step.mirrored for step in groups if step.mirrored),
            "lost": _some(step.label for step in groups if step.gone),
            "changed": _some(
                f"{step.label}: {', '.join(_group_news(step.renamed, len(step.children), len(step.orphans)))}"
                for step in groups
                if step.renamed or step.children or step.orphans
            ),
        },
        "memberships": {
            "given": _some(f"{step.label}: {named(step.given)}" for step in people if step.given),
            "removed": _some(f"{step.label}: {named(step.removed)}" for step in people if step.removed),
        },
    }
    if meant is not None:
        told["access"] = {
            "gained": _some(f"{each.person} may {each.action} {each.server}" for each in meant.shifts if each.gains),
            "lost": _some(
                f"{each.person} may no longer {each.action} {each.server}" for each in meant.shifts if not each.gains
            ),
            "judged": meant.judged,
            "concerned": meant.concerned,
        }
    return told


def _some(lines: Iterable[str]) -> list[str]:
    return [line for _, line in zip(range(MOST), lines, strict=False)]


def _joins(step: PersonStep) -> bool:
    return step.identity is None and step.number is not None


def _gained(step: PersonStep) -> str:
    how = "restored" if step.restored else "new" if step.number is None else "taken over" if step.adopted else "linked"
    return f"{step.label}: {how}"


def _changed(step: PersonStep) -> str:
    news = [f"e-mail {step.email}"] if step.email else []
    if step.name is not None:
        news.append(f"name {step.name}")
    return f"{step.label}: {', '.join(news)}"


def _group_news(renamed: str, added: int, removed: int) -> list[str]:
    found = [f"renamed {renamed}"] if renamed else []
    if added:
        found.append(f"{added} groups nested in it")
    if removed:
        found.append(f"{removed} groups no longer nested in it")
    return found
