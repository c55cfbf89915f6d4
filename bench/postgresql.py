"""Starts a throw-away PostgreSQL with its ordinary durability."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.load import free_port


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """Run a cluster in a folder until the block ends; yield the address of an empty database."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path(shutil.which("initdb") or "").parent]
    port, programs_at = free_port(), programs[-1]
    folder.mkdir()
    as_somebody: list[str] = []
    if os.geteuid() == 0:  # initdb refuses to run as root
        shutil.chown(folder, "nobody")
        as_somebody = ["setpriv", "--reuid=nobody", "--clear-groups"]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"

    def run(*words: str) -> None:
        subprocess.run([*as_somebody, *words], check=True, cwd="/", stdout=subprocess.DEVNULL)

    run(
        str(programs_at / "initdb"),
        "-D",
        str(folder / "data"),
        "-U",
        "bench",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    )
    run(
        str(programs_at / "pg_ctl"), "-D", str(folder / "data"), "-w", "-l", str(folder / "log"), "-o", options, "start"
    )
    try:
        run(str(programs_at / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "bench", "bench")
        yield f"postgresql://bench@127.0.0.1:{port}/bench"
    finally:
        run(str(programs_at / "pg_ctl"), "-D", str(folder / "data"), "-m", "fast", "stop")
