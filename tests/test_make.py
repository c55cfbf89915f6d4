"""`make` finds a Python that it can work with, whatever else is called so on a machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[1] / "Makefile"
REAL = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
SHIMS = {
    "one that leads nowhere": "echo 'pyenv: command not found' >&2; exit 127",
    "one that talks and is too old": "echo Python 3.9.1; exit 1",
    "one that talks before it works": f'echo "0 a warning"; exec {REAL} "$@"',
    "one that is slow": f'[ "$1" != -c ] || sleep 1; exec {REAL} "$@"',
}


def made(folder, path, *words):
    """Return what `make` said, and the Python of the environment that it made in a folder, if any."""
    shutil.copy(MAKEFILE, folder)
    # Nothing of the make that may have started these tests.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MAKE", "MFLAGS"))}
    done = subprocess.run(  # noqa: S603  this Makefile
        [shutil.which("make") or "make", ".venv/bin/python", *words], cwd=folder, env=kept | {"PATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr, (folder / ".venv/bin/python").exists()


@pytest.mark.parametrize("shim", SHIMS.values(), ids=SHIMS)
def test_what_is_called_python_and_does_not_work_is_passed_over(shim, tmp_path):
    shims = tmp_path / "with a space"
    shims.mkdir()
    (shims / "python3.11").write_text(f"#!/bin/sh\n{shim}\n")
    (shims / "python3.11").chmod(0o755)
    said, there = made(tmp_path, f"{shims}:{REAL.parent}:{os.environ['PATH']}")
    assert "" == said
    assert there


def test_without_one_it_says_what_to_install(tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "make", "awk", "sort", "head", "tail", "cut", "grep", "rm"):
        found = shutil.which(name)
        assert found
        (tools / name).symlink_to(found)
    said, there = made(tmp_path, str(tools))
    assert "needs Python 3.11 or newer" in said
    assert "found no Python" in said
    assert not there


def test_one_that_is_named_and_cannot_be_used_is_named_in_the_answer(tmp_path):
    said, there = made(tmp_path, os.environ["PATH"], "PYTHON=/nowhere/python3.11")
    assert "/nowhere/python3.11" in said
    assert not there
