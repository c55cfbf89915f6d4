"""Runs the edge role: validate and the group check, and nothing else."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connections

from authz.edge.process import run
from authz.management.starting import refuse_unsafe_start


class Command(BaseCommand):
    """Serves until it is told to stop."""

    help = "Answer proxies and group checks, as fast as it goes. Put it beside the proxy, on a private network."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address and the number of processes."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8001)
        parser.add_argument("--workers", type=int, default=1, help="processes, each with its own copy of the World")

    def handle(self, *_: Any, **options: Any) -> None:  # noqa: ANN401  the shape Django wants
        """Serve."""
        refuse_unsafe_start(options["host"])
        connections.close_all()  # a worker is forked, and must not share the parent's connection
        run(options["host"], options["port"], workers=max(1, options["workers"]))
