"""Readies the memory of a process for a large World that stays: out of the collector's way, and in large pages.

A World of a hundred thousand people is some two hundred megabytes, and a decision touches a dozen places all over it.
With pages of 4 KB the processor knows where a small part of them is and looks the others up, at each of which it waits
for memory, in a virtual machine several times. With pages of 2 MB it knows them all.
"""

import ctypes
import gc
import re
import sys
from pathlib import Path
from typing import Final

LARGE: Final = 2 * 1024 * 1024
"""Bytes of a large page, on the machines that have these."""
_HUGEPAGE: Final = 14  # MADV_HUGEPAGE, from asm-generic/mman-common.h
_COLLAPSE: Final = 25  # MADV_COLLAPSE, since Linux 6.1
_ANONYMOUS: Final = re.compile(rb"([0-9a-f]+)-([0-9a-f]+) rw-p 00000000 00:00 0 *(?:\[heap\])?$", re.MULTILINE)
_OFFERED: Final = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def settle() -> None:
    """Take what is loaded now for something that stays."""
    gc.collect()
    gc.freeze()
    # It has no cycles: the collector need not walk through it again and again.
    gc.set_threshold(50_000, 20, 50)
    use_large_pages()


def use_large_pages() -> int:
    """Ask Linux to hold this process's memory in large pages, and return of how many bytes that was asked.

    A kernel that does not know how, or was told never to, is left in peace: this makes answers faster and no different.
    """
    try:
        if not sys.platform.startswith("linux") or b"[never]" in _OFFERED.read_bytes():
            return 0
        held = _ANONYMOUS.findall(Path("/proc/self/maps").read_bytes())
    except OSError:
        return 0
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    asked = 0
    for begins, ends in held:
        begin, end = -(-int(begins, 16) // LARGE) * LARGE, int(ends, 16) // LARGE * LARGE
        if begin < end and advise(begin, end - begin, _HUGEPAGE) == 0:
            advise(begin, end - begin, _COLLAPSE)  # now; where that is unknown, Linux does it by and by
            asked += end - begin
    return asked
