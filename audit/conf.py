"""Reads the settings of the book, each with a default that is safe."""

from pathlib import Path

from django.conf import settings

MEBIBYTE = 1024 * 1024


def spool_dir() -> Path:
    """Return AUDIT_SPOOL_DIR: the folder in which decisions wait for the sequencer. Default: DATA_DIR/"spool".

    Put it on a local disk: file locks over a network cannot be relied on. Every machine has its own folder,
    and a sequencer of its own beside it.
    """
    if folder := getattr(settings, "AUDIT_SPOOL_DIR", None):
        return Path(folder)
    return Path(getattr(settings, "DATA_DIR", "data")) / "spool"


def spool_limit() -> int:
    """Return AUDIT_SPOOL_LIMIT: how many bytes may wait in the folder. Default: 8 GiB.

    Beyond it every check is denied, because a decision that cannot be recorded is not made. A decision takes about
    400 bytes, so that 8 GiB are some 20 million of them; one that is made again takes ten. Lower it on a small disk.
    """
    return int(getattr(settings, "AUDIT_SPOOL_LIMIT", 8192 * MEBIBYTE))


def spool_rotate() -> int:
    """Return AUDIT_SPOOL_ROTATE: after how many bytes a process begins a new file. Default: 64 MiB.

    Only a file that its writer has left is deleted, so a smaller file gives space back sooner.
    """
    return int(getattr(settings, "AUDIT_SPOOL_ROTATE", 64 * MEBIBYTE))
