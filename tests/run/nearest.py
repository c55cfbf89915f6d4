"""Names the files of tests that are nearest to a change, as many as a minute holds.

    python -m tests.run.nearest [--base REVISION]

A file of tests that changed is nearest; then come those that import what changed, those that import who imports it, and
so on, each distance from the quickest on. A template, a page or a configuration is imported by whoever names it. What a
minute does not hold is said and left to `make test`. Without a base, it is the last commit that was pushed, or the last
one where nothing was; what is not committed counts as changed.
"""

import argparse
import ast
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import grimp

from tests.run import order

ROOT: Final = Path(__file__).resolve().parents[2]
ROOMS: Final = ("portal", "authz", "audit")
BUDGET: Final = 60.0
"""Seconds of tests, on two cores."""
UNKNOWN: Final = 1.0
"""Seconds that a file is taken to need that tests/slowest.toml does not name."""
ALWAYS: Final = ("tests/test_house.py", "tests/test_docs.py")
"""These read every file there is."""


def git(*words: str) -> str:
    """Return what git says, or nothing if it refuses."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def last_pushed() -> str:
    """Return the last commit that somebody else has too, or the last one of all."""
    for name in ("@{push}", "@{upstream}", "origin/HEAD", "origin/main"):
        if found := git("merge-base", "HEAD", name):
            return found
    return git("rev-parse", "HEAD")


def changed(base: str) -> list[str]:
    """Return the files that differ from a revision, and those that git does not know yet."""
    listed = f"{git('diff', '--name-only', base)}\n{git('ls-files', '--others', '--exclude-standard')}"
    return sorted({each for each in listed.splitlines() if each})


def module_of(path: str) -> str:
    """Return the name by which a file is imported."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imports_of(path: Path) -> Iterator[str]:
    """Yield the modules that a file names in its imports; of `from a import b` both a and a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def partitioned(paths: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the files of Python and all others."""
    known = list(paths)
    return [each for each in known if each.endswith(".py")], [each for each in known if not each.endswith(".py")]


def naming(paths: list[str]) -> list[str]:
    """Return the files of Python that name one of these files."""
    names = {Path(each).name for each in paths}
    files = [path for folder in (*ROOMS, "tests") for path in (ROOT / folder).rglob("*.py")] if names else []
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}
    return [path for path, text in texts.items() if any(name in text for name in names)]


def distances(paths: Iterable[str]) -> dict[str, int]:
    """Return how far each file of tests is from these files; 0 is one of them."""
    graph = grimp.build_graph(*ROOMS, cache_dir=str(ROOT / ".import_linter_cache"))
    files = {path.relative_to(ROOT).as_posix(): path for path in sorted((ROOT / "tests").rglob("*.py"))}
    importers: dict[str, set[str]] = {each: graph.find_modules_that_directly_import(each) for each in graph.modules}
    for name, path in files.items():
        for each in set(imports_of(path)):
            importers.setdefault(each, set()).add(module_of(name))
    found: dict[str, int] = {}
    python, others = partitioned(paths)
    ahead = deque((module_of(each), 0) for each in python)
    ahead += [(module_of(each), 1) for each in naming(others)]
    while ahead:
        module, distance = ahead.popleft()
        if module not in found:
            found[module] = distance
            ahead += [(each, distance + 1) for each in importers.get(module, ())]
    tests = {name: found.get(module_of(name)) for name in files if Path(name).name.startswith("test_")}
    return {name: distance for name, distance in tests.items() if distance is not None}


def choose(near: dict[str, int], budget: float = BUDGET) -> tuple[list[str], list[str]]:
    """Return the nearest files that the budget holds, and those that it does not; two workers share it."""
    known, left = order.seconds(), budget * 2
    chosen, over = [], []
    for name, _ in sorted(near.items(), key=lambda each: (each[1], known.get(each[0], UNKNOWN), each[0])):
        took = known.get(name, UNKNOWN)
        if took <= min(left, budget):
            left -= took
            chosen.append(name)
        else:
            over.append(name)
    return chosen, over


def main(arguments: list[str]) -> int:
    """Name them, one a line; every other line is to be read by a person."""
    parser = argparse.ArgumentParser(prog="tests.run.nearest")
    parser.add_argument("--base", default="")
    base = parser.parse_args(arguments).base or last_pushed()
    if not git("rev-parse", "--verify", "--quiet", f"{base}^{{commit}}"):
        print(f"BASE={base} is no commit of this repository")
        return 1
    paths = changed(base)
    chosen, over = choose(distances(paths) | dict.fromkeys(ALWAYS, 0))
    print(f"{len(paths)} files changed since {base[:12]}; of the tests near them {len(chosen)} files run", end="")
    print(f", and {len(over)} are left to make test: {' '.join(over)}" if over else "")
    print("\n".join(chosen))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
