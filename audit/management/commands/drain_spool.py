"""Runs the sequencer: decisions go from the spools into the book."""

import signal
import threading
from argparse import ArgumentParser
from types import FrameType

from django.core.management import BaseCommand

from audit.sequencer import BATCH, drain_forever, drain_once


class Command(BaseCommand):
    """Drain until told to stop, or once."""

    help = "Moves recorded decisions from the spool folder into the audit log, until SIGTERM or SIGINT."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --once."""
        parser.add_argument("--once", action="store_true", help="drain what is there, then stop")

    def handle(self, *, once: bool, **_: object) -> None:
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
        drain_forever(stop)
