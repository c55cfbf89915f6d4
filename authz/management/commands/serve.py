"""Runs the whole portal on one machine: pages, interface, edge, and beside it what fills the book and works behind."""

import signal
import sys
from argparse import ArgumentParser
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand

from authz.management.beside import Beside
from authz.management.starting import refuse_unsafe_start
from authz.sockets.server import PatientHttp, Wire

PATIENCE = 10
"""Seconds that requests under way have when the server is to stop; WebSockets are told at once to come back (1012)."""


class Command(BaseCommand):
    """Serves until it is told to stop."""

    help = "Serve everything: pages, interface, the edge's paths, the sequencer that fills the book, and the worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--no-sequencer", action="store_true", help="the sequencer runs elsewhere")
        parser.add_argument("--no-worker", action="store_true", help="what works in the background runs elsewhere")

    def handle(self, *_: Any, **options: Any) -> None:  # noqa: ANN401  the shape Django wants
        """Serve."""
        refuse_unsafe_start(options["host"])
        # The server ends with the signal that stopped it, raised once more; it must not take us along before we have
        # stopped what runs beside us.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        beside = [] if options["no_sequencer"] else [Beside("drain_spool")]
        if not options["no_worker"]:
            beside.append(Beside("work"))
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
            for each in beside:
                each.tell()
            for each in beside:
                each.end()
