"""The one temporary folder of a test run, shared by its workers and removed at its end."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "GATEHOUSE_TEST_PLACE"


def make() -> Path:
    """Make the folder and name it in the environment, which workers inherit."""
    place = Path(tempfile.mkdtemp(prefix="gatehouse-"))
    # The database server runs as another user when tests run as root, and has to pass through to its own folder.
    place.chmod(0o711)
    os.environ[VARIABLE] = str(place)
    return place


def here() -> Path:
    """Return the folder of this run."""
    return Path(os.environ[VARIABLE])


def remove() -> None:
    """Remove the folder with everything in it."""
    shutil.rmtree(os.environ.pop(VARIABLE), ignore_errors=True)


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Hold a lock of this name against the other workers of the run."""
    with (here() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
