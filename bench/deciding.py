"""Measures `decide`, building the World, and applying a change, in this process."""

import random
import resource
import time
from collections.abc import Callable
from typing import Final

from authz.decisions import facts as f
from authz.decisions.applied import applied
from authz.decisions.decide import decide
from authz.decisions.search import question_of
from authz.decisions.vocabulary import Kind
from authz.decisions.world import World
from authz.edge.memory import settle
from authz.lookups.build import build
from bench.report import Report, percentile

QUESTIONS: Final = 100_000
DEEP: Final = 8
MOST_DECIDE_US: Final = 20.0
MOST_BUILD_S: Final = 15.0
MOST_APPLY_MS: Final = 1.0


def measure_build(report: Report, database: str) -> World:
    """Build the World from the tables of this process's database."""
    started = time.perf_counter()
    world = build()
    took = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report.add(f"World built from {database}", f"{took:.1f} s, {peak:.0f} MB peak", "15 s", kept=took <= MOST_BUILD_S)
    return world


def measure_decide(report: Report, world: World) -> None:
    """Ask random people about random servers: allowed and denied, shallow and deep."""
    settle()
    chance = random.Random(1)  # noqa: S311  the same questions in every run
    people = list(world.people)
    servers = [number for number, server in world.servers.items() if server.kind == Kind.MCP]
    at = time.time()
    questions = [question_of(chance.choice(people), chance.choice(servers), at=at) for _ in range(QUESTIONS)]
    took: dict[str, list[float]] = {"allow": [], "deny": [], "depth 1": [], "depth 8": []}
    deepest = max(len(up) for up in world.ancestors.values())
    for question in questions:
        started = time.perf_counter_ns()
        decision = decide(question, world)
        spent = (time.perf_counter_ns() - started) / 1000
        took["allow" if decision.allowed else "deny"].append(spent)
    for name, depth in (("depth 1", 1), ("depth 8", deepest)):
        groups = [number for number, up in world.ancestors.items() if (len(up) == 1 if depth == 1 else len(up) >= DEEP)]
        alone = f.PersonIs(-1, "", "alone@example.com", "", True, True)  # noqa: FBT003  fields in order
        for group in chance.sample(groups, min(200, len(groups))):
            asked = applied(world, [alone, f.MemberIs(-1, group, None)])
            for _ in range(20):
                question = question_of(-1, chance.choice(servers), at=at)
                started = time.perf_counter_ns()
                decide(question, asked)
                took[name].append((time.perf_counter_ns() - started) / 1000)
    for name, values in took.items():
        p50, p99 = percentile(values, 0.5), percentile(values, 0.99)
        report.add(
            f"decide, {name} ({len(values):,} questions)",
            f"p50 {p50:.1f}, p99 {p99:.1f} µs",
            "p99 20 µs",
            kept=p99 <= MOST_DECIDE_US,
        )


def measure_apply(report: Report, world: World) -> None:
    """Apply one change of each common kind to the large World."""
    chance = random.Random(2)  # noqa: S311  the same changes in every run
    people, groups = list(world.people), [number for number in world.groups if number not in world.given]
    grants = list(world.grants.values())
    kinds: dict[str, Callable[[], f.Fact]] = {
        "suspend a person": lambda: world.people[chance.choice(people)]._replace(active=False),
        "give a membership": lambda: f.MemberIs(chance.choice(people), chance.choice(groups), None),
        "nest a group": lambda: f.NestIs(chance.choice(groups), chance.choice(groups)),
        "remove a grant": lambda: f.GrantGone(chance.choice(grants).number),
        "begin a session": lambda: f.SessionIs(10**9, f"{chance.getrandbits(256):064x}", people[0], 2e9, 60.0, 0.0),
    }
    for name, make in kinds.items():
        values = []
        for _ in range(500):
            fact = make()
            started = time.perf_counter_ns()
            applied(world, [fact], revision=world.revision + 1)
            values.append((time.perf_counter_ns() - started) / 1e6)
        p50, p99 = percentile(values, 0.5), percentile(values, 0.99)
        report.add(
            f"one change applied: {name}",
            f"p50 {p50 * 1000:.0f}, p99 {p99 * 1000:.0f} µs",
            "1 ms",
            kept=p99 <= MOST_APPLY_MS,
        )
