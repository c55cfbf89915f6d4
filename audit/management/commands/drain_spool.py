"""Runs the sequencer: decisions go from the spools into the book."""

import os
import signal
import threading
from argparse import ArgumentParser
from types import FrameType

from django.core.management import BaseCommand

from audit.sequencer import BATCH, drain_forever, drain_once

LOOK_EVERY = 1.0
"""Seconds between two looks whether the parent is still there."""


class Command(BaseCommand):
    """Drain until told to stop, or once."""

    help = "Moves recorded decisions from the spool folder into the audit log, until SIGTERM or SIGINT."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --once and --beside."""
        parser.add_argument("--once", action="store_true", help="drain what is there, then stop")
        parser.add_argument(
            "--beside", type=int, metavar="PID", help="the parent process; stop when it is gone, however it ended"
        )

    def handle(self, *, once: bool, beside: int | None = None, **_: object) -> None:
        """Drain."""
        if once:
            total = 0
            while appended := drain_once(BATCH):
                total += appended
            self.stdout.write(f"{total} entries")
            return
        stop = threading.Event()

        def end(_signal: int, _frame: FrameType | None) -> None:
            stop.set()

        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, end)
        if beside is not None:
            threading.Thread(target=_outlast, args=(beside, stop), name="parent", daemon=True).start()
        drain_forever(stop)


def _outlast(parent: int, stop: threading.Event) -> None:
    """Tell the sequencer to stop once its parent is gone: a process that was killed cannot say so itself."""
    while os.getppid() == parent:
        if stop.wait(LOOK_EVERY):
            return
    stop.set()
