"""What is loaded to stay is put in large pages, and is what it was."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
LOADED = """
import gc, re, time
from pathlib import Path
from authz.edge.memory import LARGE, settle, use_large_pages
many = [str(number) * 3 for number in range(1_000_000)]
settle()
assert many == [str(number) * 3 for number in range(1_000_000)], "nothing has changed"
assert gc.get_freeze_count() > 0
for _ in range(200):  # a busy machine may have none to give for a while, so the edge asks now and then
    asked = use_large_pages() // LARGE
    held = int(re.search(r"AnonHugePages: *(\\d+)", Path("/proc/self/smaps_rollup").read_text())[1])
    if held > 10 * 1024:
        break
    time.sleep(0.5)
print(asked, held)
"""


def offered():
    """Return whether this machine has large pages for who asks for them."""
    path = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    return path.exists() and re.search(r"\[(always|madvise)\]", path.read_text())


def test_what_stays_is_in_large_pages_and_is_what_it_was():
    if not offered():
        pytest.skip("this machine offers no large pages")
    done = subprocess.run(  # noqa: S603  this interpreter, with the text above
        [sys.executable, "-c", LOADED], cwd=HERE, capture_output=True, text=True, check=False
    )
    assert "" == done.stderr
    asked, held = map(int, done.stdout.split())

    # Python takes its memory a megabyte at a time; what does not happen to lie beside each other stays small.
    assert asked > 10
    assert held > 10 * 1024, "kilobytes"
