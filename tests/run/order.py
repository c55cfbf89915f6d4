"""Begins with the files that take longest, so that no worker is left alone with one of them at the end.

How long each took is kept in tests/slowest.toml, which `make slowest` writes anew from the results of the last run.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "tests" / "slowest.toml"
WORTH_A_LINE = 2.0
"""Seconds that a file takes at least to be named."""

HEAD = """\
# Seconds that each file of tests takes on two cores, the longest first; files that take less than two are left out.
# The order of a run follows it. `make slowest` writes it anew from the last `make test`; see CONTRIBUTING.md.

"""


@cache
def seconds() -> dict[str, float]:
    """Return the files that are known to take long, with the seconds that each takes on its slower database."""
    return {str(name): float(each) for name, each in tomllib.loads(KEPT.read_text(encoding="utf-8")).items()}


def longest_first(items: Iterable[Any]) -> list[Any]:
    """Return tests in the order of their files' lengths; within a file as they stand."""
    known = seconds()
    return sorted(items, key=lambda item: -known.get(item.path.relative_to(ROOT).as_posix(), 0.0))


def write(runs: Iterable[Mapping[str, float]]) -> None:
    """Write the file anew from the seconds of each test in several runs."""
    most: dict[str, float] = {}
    for run in runs:
        files: dict[str, float] = defaultdict(float)
        for test, took in run.items():
            files[test.partition("::")[0]] += took
        most = {name: max(most.get(name, 0.0), files.get(name, 0.0)) for name in most.keys() | files.keys()}
    longest = sorted(most.items(), key=lambda each: (-each[1], each[0]))
    lines = [f'"{name}" = {took:.0f}\n' for name, took in longest if took >= WORTH_A_LINE]
    KEPT.write_text(HEAD + "".join(lines), encoding="utf-8")
