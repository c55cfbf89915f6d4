"""Runs the bench: `python -m bench [--small] [--only deciding,serving,revoking] [--database sqlite,postgresql]`.

Each database is measured in a process of its own, on an organisation made up for it in a temporary folder.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

PARTS: Final = ("deciding", "serving", "connecting", "revoking", "directories")
DATABASES: Final = ("sqlite", "postgresql")


def main() -> int:
    """Measure what was asked for, and return 1 if a budget was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--small", action="store_true", help="a fiftieth of the people: to try the bench itself")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    parser.add_argument("--database", default=",".join(DATABASES), help="databases, separated by commas")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        from bench.inside import measure  # noqa: PLC0415  needs the settings of its database

        return measure(options.inside, options.only.split(","), small=options.small)
    missing = [name for name in ("wrk", "nginx", "taskset") if shutil.which(name) is None]
    for part in ("serving", "connecting"):
        if missing and part in options.only:
            print(f"not measured: {part}, for {', '.join(missing)} is missing")
            options.only = ",".join(each for each in options.only.split(",") if each != part)
    if "directories" in options.only and shutil.which("slapd", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None:
        print("not measured: directories, for slapd is missing")
        options.only = ",".join(each for each in options.only.split(",") if each != "directories")
    worst = 0
    for database in options.database.split(","):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            worst = max(worst, _measure(database, Path(folder), options))
    return worst


def _measure(database: str, folder: Path, options: argparse.Namespace) -> int:
    """Measure on one database, started for it if need be."""
    env = os.environ | {"PORTAL_MODE": "local", "DATA_DIR": str(folder), "LOG_LEVEL": "WARNING"}
    env |= {"DJANGO_SETTINGS_MODULE": "portal.settings", "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    command = [sys.executable, "-m", "bench", "--inside", database, "--only", options.only]
    if options.small:
        command.append("--small")
    if database == "sqlite":
        return subprocess.run(command, env=env, check=False).returncode
    from bench.postgresql import cluster  # noqa: PLC0415  only then

    folder.chmod(0o755)
    with cluster(folder / "cluster") as url:
        return subprocess.run(command, env=env | {"DATABASE_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
