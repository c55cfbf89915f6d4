"""Each test runs where it should, the longest first, and what is said at the end repeats what failed."""

import json
import shlex
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.run import databases, nearest, order, report

ROOT = Path(__file__).resolve().parents[2]


def item(nodeid, *fixtures, marked=False, **parameters):
    """Return as much of a collected test as is asked."""
    made = SimpleNamespace(
        nodeid=nodeid,
        path=ROOT / nodeid.partition("::")[0],
        fixturenames=fixtures,
        get_closest_marker=lambda name: name if marked and name == "django_db" else None,
    )
    if parameters:
        made.callspec = SimpleNamespace(params=parameters)
    return made


ONCE = next(iter(databases.ONCE))
WHERE = {
    "touches no database": (item("tests/formats/test_a.py::test_b"), {"sqlite"}),
    "is marked": (item("tests/changes/test_a.py::test_b", marked=True), {"sqlite", "postgresql"}),
    "asks for a database by a fixture": (item("tests/new/test_a.py::test_b", "db"), {"sqlite", "postgresql"}),
    "stands in a file that runs once": (item(f"{ONCE}::test_b", "db"), {"sqlite"}),
    "stands beside it": (item(f"{ONCE}x/test_a.py::test_b", "db"), {"sqlite", "postgresql"}),
    "names the other": (item("tests/a.py::test_b", "portal", database="postgresql"), {"postgresql"}),
    "names this one": (item("tests/a.py::test_b", "portal", database="sqlite"), {"sqlite"}),
    "names none of them": (item("tests/a.py::test_b", "portal", database="any"), {"sqlite", "postgresql"}),
}


@pytest.mark.parametrize(("test", "where"), WHERE.values(), ids=WHERE)
def test_a_test_runs_on_each_database_that_takes_part_in_its_answer(test, where):
    assert where == {each for each in ("sqlite", "postgresql") if databases.runs_here(test, each)}


@pytest.mark.parametrize("name", [*databases.ONCE, *order.seconds()])
def test_every_file_that_is_named_is_there(name):
    assert (ROOT / name).exists(), "it was moved or removed; tests/run/databases.py or `make slowest`"


def test_the_longest_file_comes_first_and_its_tests_stay_together(monkeypatch):
    monkeypatch.setattr(order, "seconds", lambda: {"tests/b.py": 9.0, "tests/c.py": 30.0})
    tests = [item(f"tests/{name}.py::test_{n}") for name in "abc" for n in "12"]
    names = [each.nodeid.removeprefix("tests/").replace(".py::test_", "") for each in order.longest_first(tests)]
    assert ["c1", "c2", "b1", "b2", "a1", "a2"] == names


def test_the_slowest_files_are_written_down_with_their_slower_database(monkeypatch, tmp_path):
    monkeypatch.setattr(order, "KEPT", tmp_path / "slowest.toml")
    order.write([
        {"tests/a.py::test_1": 3.2, "tests/a.py::test_2": 4.0, "tests/b.py::test_1": 0.5},
        {"tests/a.py::test_1": 1.0, "tests/c.py::test_1": 60.4},
    ])  # fmt: skip
    order.seconds.cache_clear()
    assert {"tests/c.py": 60.0, "tests/a.py": 7.0} == order.seconds()
    order.seconds.cache_clear()


def test_the_nearest_tests_are_chosen_as_long_as_a_minute_lasts(monkeypatch):
    monkeypatch.setattr(order, "seconds", lambda: {"tests/whole.py": 50.0, "tests/long.py": 90.0, "tests/mid.py": 40.0})
    near = {"tests/far.py": 3, "tests/whole.py": 1, "tests/long.py": 0, "tests/mid.py": 1, "tests/own.py": 0}
    chosen, over = nearest.choose(near, budget=60.0)
    assert ["tests/own.py", "tests/mid.py", "tests/whole.py", "tests/far.py"] == chosen
    assert ["tests/long.py"] == over


NEAR = {
    "authz/formats/header.py": "tests/formats/test_header.py",
    "authz/decisions/names.py": "tests/formats/test_header.py",
    "tests/people.py": "tests/edge/test_turns.py",
    "tests/edge/test_turns.py": "tests/edge/test_turns.py",
    "docker/nginx.conf": "tests/whole/test_nginx.py",
}


@pytest.mark.parametrize(("changed", "test"), NEAR.items(), ids=NEAR)
def test_a_change_leads_to_the_tests_that_rest_on_it(changed, test):
    assert test in nearest.distances([changed])


def test_what_nothing_imports_leads_nowhere():
    assert {} == nearest.distances(["/".join(("docs", "a-page-that-nobody-names" + ".md"))])


FAILED = "tests/a.py::test_b[it's $5, or more]"


def test_a_summary_says_what_failed_what_was_skipped_and_what_took_long(tmp_path):
    results = {"seconds": {"tests/a.py::test_quick": 0.1, FAILED: 7.25, "tests/c.py::test_d": 1.0},
               "skipped": {"tests/c.py::test_d": "nginx is not installed"}, "failed": [FAILED]}  # fmt: skip
    (tmp_path / "test-sqlite.json").write_text(json.dumps(results))
    (tmp_path / "test-sqlite").write_text("FAILED 12\n")
    (tmp_path / "lint").write_text("ok 1\n")
    said = report.summary(tmp_path, ["lint", "test-sqlite"])
    assert said.index("7.2  test-sqlite") < said.index("0.1  test-sqlite")
    assert "1 for: nginx is not installed (tests/c.py::test_d)" in said
    assert "1 passed, 1 failed, 1 skipped" in said
    assert "ok         1 s" in said
    assert report.repeated("test-sqlite", FAILED) in said


def test_the_line_that_repeats_a_failure_names_that_test_to_pytest(tmp_path):
    (tmp_path / "Makefile").write_text("test-sqlite:\n\t@printf '%s\\n' $(ARGS)\n")
    line = report.repeated("test-sqlite", FAILED)
    words = ["/bin/sh", "-c", f"{line} --no-print-directory"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert FAILED == done.stdout.rstrip("\n")
    assert FAILED in shlex.split(shlex.split(line)[2].removeprefix("ARGS=").replace("$$", "$"))


def test_outcomes_are_kept_with_what_each_part_of_a_test_took(tmp_path):
    def part(outcome, seconds, why=None):
        return SimpleNamespace(nodeid="tests/a.py::test_b", duration=seconds, outcome=outcome, longrepr=why)

    stats = {"": [part("passed", 0.5)], "passed": [part("passed", 1.0)], "error": [part("failed", 0.25)],
             "warnings": [object()]}  # fmt: skip
    report.keep(tmp_path / "kept.json", stats)
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert {"seconds": {"tests/a.py::test_b": 1.75}, "skipped": {}, "failed": ["tests/a.py::test_b"]} == kept
