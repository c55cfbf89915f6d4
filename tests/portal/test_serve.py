"""The sequencer and the worker beside the server live as long as the server does, and no longer."""

import os
from pathlib import Path

import pytest

from tests.patience import until
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
    until(lambda: len(children_of(pid)) >= BESIDE, "what runs beside the server")
    first = set(children_of(pid))
    for each in first:
        os.kill(each, 9)
    until(lambda: len(set(children_of(pid)) - first) >= BESIDE, "what replaces it")
    found = children_of(pid)
    assert BESIDE == len(found)
    server.stop(kill=kill)
    until(lambda: not any(map(is_there, found)), "their end")


def test_a_worker_alone_outlives_what_cannot_be_read_and_whatever_ends_it(portal: PortalFactory) -> None:
    """It has somebody who starts it again, until both are told to stop."""
    here = portal()
    keeper = here.start("work")
    until(lambda: len(children_of(keeper.child.pid)) == 1)
    (worker,) = children_of(keeper.child.pid)
    poison = here.folder / "queue" / "tasks" / "0_x.celery.msg"
    until(poison.parent.exists)
    poison.touch()
    until(lambda: not poison.exists())
    (poison.parent / "0_y.celery.msg").write_text('{"body": "no task", "headers": {}, "properties": {}}')
    until(lambda: not list(poison.parent.glob("0_*")))
    assert [worker] == children_of(keeper.child.pid)
    os.kill(worker, 9)
    until(lambda: [each for each in children_of(keeper.child.pid) if each != worker])
    (again,) = (each for each in children_of(keeper.child.pid) if each != worker)
    assert 0 == keeper.stop()
    assert not is_there(again)
