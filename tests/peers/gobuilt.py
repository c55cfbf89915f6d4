"""Builds the proxies that Debian has not, or only in versions that are not safe, from their Go modules.

Only the standard library is imported here: `install` runs before anything is installed. Each is built once on a machine
into the cache of its user, under a name that holds its version; building takes minutes, so no test does it.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path


def cache() -> Path:
    """Return the folder that holds what was built."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gatehouse" / "go"


def built(program: str, version: str) -> Callable[[], Path | None]:
    """Return a search for a program that was built in exactly this version."""

    def find() -> Path | None:
        found = cache() / f"{program}-{version}"
        return found if found.exists() else None

    return find


def build(package: str) -> str:
    """Build a command of a module, such as `example.com/module/cmd/program@v1.2.3`; return why that failed, or nothing.

    Which bytes a version has is checked by go against the checksum database.
    """
    go = shutil.which("go")
    if go is None:
        return "there is no Go"
    path, _, version = package.partition("@v")
    program = path.rpartition("/")[2]
    place = cache() / f"building-{os.getpid()}"
    place.mkdir(parents=True)
    try:
        done = subprocess.run(
            [go, "install", package],
            env={**os.environ, "GOBIN": str(place), "GOFLAGS": ""},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            return (done.stderr.strip() or f"go ended with {done.returncode}").splitlines()[-1]
        (place / program).rename(cache() / f"{program}-{version}")
    finally:
        shutil.rmtree(place)
    return ""
