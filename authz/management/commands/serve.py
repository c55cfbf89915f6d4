"""Runs the whole portal on one machine: pages, interface, edge, and the sequencer of the book beside it."""

import os
import signal
import subprocess
import sys
import threading
from argparse import ArgumentParser
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand

from authz.management.starting import refuse_unsafe_start
from authz.sockets.server import PatientHttp, Wire

PATIENCE = 10
"""Seconds that requests under way have when the server is to stop; WebSockets are told at once to come back (1012)."""
RESTART_AFTER = 1.0
"""Seconds before a sequencer that died is started again."""


class Command(BaseCommand):
    """Serves until it is told to stop."""

    help = "Serve everything: the pages, the interface, the edge's paths, and the sequencer that fills the book."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--no-sequencer", action="store_true", help="the sequencer runs elsewhere")

    def handle(self, *_: Any, **options: Any) -> None:  # noqa: ANN401  the shape Django wants
        """Serve."""
        refuse_unsafe_start(options["host"])
        # The server ends with the signal that stopped it, raised once more; it must not take us along before we have
        # stopped the sequencer.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        stop = threading.Event()
        sequencer = None if options["no_sequencer"] else _Sequencer(stop)
        try:
            uvicorn.run(
                "portal.asgi:application",
                host=options["host"],
                port=options["port"],
                loop="uvloop",
                http=PatientHttp,
                ws=Wire,
                ws_max_size=settings.AUTHZ_SOCKET_LARGEST_MESSAGE,
                ws_per_message_deflate=False,  # it costs each connection more memory than everything else of it
                timeout_graceful_shutdown=PATIENCE,
                lifespan="on",
                proxy_headers=False,  # whose headers are honoured is ours to judge
                server_header=False,
                access_log=False,
                log_config=None,
                log_level=settings.LOG_LEVEL.lower(),
            )
        finally:
            stop.set()
            if sequencer is not None:
                sequencer.end()


class _Sequencer:
    """Keeps `manage.py drain_spool` running beside the server."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name="sequencer", daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                if self._stop.is_set():
                    return
                beside = [sys.executable, sys.argv[0], "drain_spool", "--beside", str(os.getpid())]
                self._child = subprocess.Popen(beside)  # noqa: S603  ourselves
            self._child.wait()
            self._stop.wait(RESTART_AFTER)

    def end(self) -> None:
        """Let the sequencer drain what is left, and stop it."""
        with self._lock:
            child = self._child
        if child is not None and child.poll() is None:
            child.terminate()
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()
