"""The sequencer and the worker beside the server live as long as the server does, and no longer."""

import os
import time
from pathlib import Path

import pytest

from tests.peers.portal import WITH_WORKER, PortalFactory

BESIDE = 2
"""The sequencer and the worker."""


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started and that are still there."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended meanwhile
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def is_there(pid: int) -> bool:
    """Return whether a process runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("kill", [False, True], ids=["told to stop", "killed"])
def test_what_runs_beside_the_server_ends_with_it(portal: PortalFactory, *, kill: bool) -> None:
    """However the server ends; and what dies before is replaced."""
    server = portal().serve("serve", "--port", "{port}", WITH_WORKER, ready="/readyz")
    pid = server.process.child.pid
    ends = time.monotonic() + 30
    while len(first := children_of(pid)) < BESIDE and time.monotonic() < ends:
        time.sleep(0.05)
    for each in first:
        os.kill(each, 9)
    while (len(found := children_of(pid)) < BESIDE or set(found) & set(first)) and time.monotonic() < ends:
        time.sleep(0.05)
    assert BESIDE == len(found)
    server.stop(kill=kill)
    while any(map(is_there, found)) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not any(map(is_there, found))
