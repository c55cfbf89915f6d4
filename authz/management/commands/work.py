"""Works in the background: reads directories when they are due, and when somebody asks for it."""

import os
import signal
import threading
import warnings
from argparse import ArgumentParser
from typing import Any

from celery.beat import EmbeddedService, Scheduler
from celery.platforms import SecurityWarning
from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string

from authz.management.beside import Beside, outlast

THREADS = 2
"""Tasks at the same time: a directory that is read for minutes must not keep another waiting."""


class Command(BaseCommand):
    """A Celery worker and its schedule in one process, so that neither outlives the other."""

    help = "Work in the background: directories that are due, and what somebody asked for."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --beside and --no-schedule."""
        parser.add_argument("--beside", type=int, metavar="PID", help="the parent; stop when it is gone")
        parser.add_argument("--no-schedule", action="store_true", help="another worker keeps the schedule")

    def handle(self, *_: Any, **options: Any) -> None:  # noqa: ANN401  the shape Django wants
        """Work until told to stop."""
        if options["beside"] is None:
            self._keep(*(["--no-schedule"] if options["no_schedule"] else []))
            return
        # Celery warns root of pickled tasks that run anything; ours are JSON, and carry nothing.
        warnings.filterwarnings("ignore", category=SecurityWarning)
        app = import_string(settings.CELERY_APPLICATION)
        stop = threading.Event()
        outlast(options["beside"], stop, lambda: os.kill(os.getpid(), signal.SIGTERM))
        if not options["no_schedule"]:
            # In a thread: one that were a process would go on publishing after its worker was killed.
            schedule = EmbeddedService(
                app, thread=True, scheduler_cls=Scheduler
            )  # in memory: all of it is "again and again"
            schedule.daemon = True
            schedule.start()
        words = ["--quiet", "worker", "--pool=threads", f"--concurrency={THREADS}", "--loglevel=WARNING"]
        app.worker_main([*words, "--without-gossip", "--without-mingle", "--without-heartbeat"])
        stop.set()

    def _keep(self, *words: str) -> None:
        """Keep a worker running until we are told to stop: nothing that ends it is the end of its work."""
        over = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: over.set())
        worker = Beside("work", *words)
        over.wait()
        worker.end()
