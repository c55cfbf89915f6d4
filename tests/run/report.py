"""Keeps what a run found, and sums up several: what took long, what was skipped, and how to repeat a failure.

    python -m tests.run.report FOLDER STEP ...    sums up the runs whose results are in a folder
    python -m tests.run.report FOLDER --files     writes tests/slowest.toml anew from them

A run keeps its results with --results FOLDER/STEP.json:

    {"seconds": {"tests/edge/test_turns.py::test_a": 0.2}, "skipped": {"tests/…::test_b": "why"}, "failed": ["tests/…"]}
"""

import json
import shlex
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.run import order

SHOWN = 20
"""Tests are listed by how long they took, and so many of them."""

NONE: dict[str, Any] = {"seconds": {}, "skipped": {}, "failed": []}


def keep(path: Path, reports: dict[str, list[Any]]) -> None:
    """Write down what pytest's reports say: `reports` is what its terminal reporter has, by outcome."""
    seconds: dict[str, float] = defaultdict(float)
    skipped: dict[str, str] = {}
    failed: set[str] = set()
    for outcome, several in reports.items():
        for each in several:
            if not hasattr(each, "nodeid"):
                continue
            seconds[each.nodeid] += getattr(each, "duration", 0.0)
            if outcome == "skipped" and isinstance(each.longrepr, tuple):
                skipped[each.nodeid] = str(each.longrepr[2]).removeprefix("Skipped: ")
            if outcome in {"failed", "error"}:
                failed.add(each.nodeid)
    found = {"seconds": seconds, "skipped": skipped, "failed": sorted(failed)}
    path.write_text(json.dumps(found), encoding="utf-8")


def summary(folder: Path, steps: list[str]) -> str:
    """Return what to say of several steps, of which some were runs of tests."""
    found = {step: _results(folder, step) for step in steps}
    lines = ["", "The slowest tests, in seconds:"]
    took = [(seconds, step, test) for step, each in found.items() for test, seconds in each["seconds"].items()]
    lines += [f"{seconds:7.1f}  {step:16} {test}" for seconds, step, test in sorted(took, reverse=True)[:SHOWN]]
    reasons: dict[tuple[str, str], list[str]] = defaultdict(list)
    for step, each in found.items():
        for test, reason in each["skipped"].items():
            reasons[step, reason].append(test)
    lines += ["", "Skipped:"] if reasons else ["", "Nothing was skipped."]
    lines += [f"  {step:16} {len(tests)} for: {why} ({tests[0]}{', …' if tests[1:] else ''})"
              for (step, why), tests in sorted(reasons.items())]  # fmt: skip
    for step, each in found.items():
        lines += ["", f"Failed in {step}; each is repeated by its line:"] if each["failed"] else []
        lines += [f"  {repeated(step, test)}" for test in each["failed"]]
    lines += ["", "Steps:"]
    lines += [f"  {step:16} {said} {_counted(found[step])}".rstrip() for step, said in _said(folder, steps).items()]
    return "\n".join(lines)


def repeated(step: str, test: str) -> str:
    """Return the command that runs one test again: read by a shell, by make, and by the shell of its recipe."""
    return f"make {step} ARGS={shlex.quote(shlex.quote(test).replace('$', '$$'))}"


def _results(folder: Path, step: str) -> dict[str, Any]:
    path = folder / f"{step}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else NONE


def _said(folder: Path, steps: list[str]) -> dict[str, str]:
    """Return how each step ended and the seconds it took, as the Makefile wrote it down."""
    said = {}
    for step in steps:
        outcome, seconds = (folder / step).read_text(encoding="utf-8").split()
        said[step] = f"{outcome:6} {int(seconds):5} s"
    return said


def _counted(results: dict[str, Any]) -> str:
    count, failed, skipped = len(results["seconds"]), len(results["failed"]), len(results["skipped"])
    return f"  {count - failed - skipped} passed, {failed} failed, {skipped} skipped" if count else ""


def main(arguments: list[str]) -> int:
    """Say it."""
    folder, steps = Path(arguments[0]), arguments[1:]
    if steps == ["--files"]:
        order.write(_results(folder, path.stem)["seconds"] for path in sorted(folder.glob("*.json")))
        return 0
    print(summary(folder, steps))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
