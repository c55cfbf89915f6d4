"""The sequencer beside the server lives as long as the server does, and no longer."""

import os
import time
from pathlib import Path

import pytest

from tests.peers.portal import PortalFactory


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
def test_the_sequencer_ends_with_the_server(portal: PortalFactory, *, kill: bool) -> None:
    """However the server ends; and one that dies before is replaced."""
    server = portal().serve("serve", "--port", "{port}", ready="/readyz")
    (first,) = children_of(server.process.child.pid)
    os.kill(first, 9)
    ends = time.monotonic() + 20
    while (found := children_of(server.process.child.pid)) in ([], [first]) and time.monotonic() < ends:
        time.sleep(0.05)
    (sequencer,) = found
    server.stop(kill=kill)
    while is_there(sequencer) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not is_there(sequencer)
