"""Runs the TCP role: JSON-RPC, one message on each line."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from authz.management.starting import refuse_unsafe_start
from authz.sockets.rpc.tcp_process import encryption, run

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Command(BaseCommand):
    """Serves until it is told to stop."""

    help = "Answer services over TCP, one JSON-RPC message on each line, until their right to be connected ends."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address, and what TLS needs."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=9500)
        parser.add_argument(
            "--tls-cert",
            default=settings.AUTHZ_TCP_TLS_CERT,
            help="a file with the certificate and those above it, in PEM form",
        )
        parser.add_argument(
            "--tls-key", default=settings.AUTHZ_TCP_TLS_KEY, help="a file with its key, unless it is in the same one"
        )
        parser.add_argument("--plain", action="store_true", help="serve others without TLS: something in front ends it")

    def handle(self, *_: Any, **options: Any) -> None:  # noqa: ANN401  the shape Django wants
        """Serve."""
        host, certificate = options["host"], options["tls_cert"]
        if settings.LOCAL:
            refuse_unsafe_start(host)
        if not certificate and not options["plain"] and host not in LOOPBACK:
            raise CommandError(
                f"Tokens would travel to {host} in the clear: give --tls-cert and --tls-key, or say --plain if "
                "something in front of this ends TLS."
            )
        try:
            tls = encryption(certificate, options["tls_key"]) if certificate else None
        except OSError as error:
            raise CommandError(f"TLS cannot be served with {certificate} and {options['tls_key']}: {error}") from error
        connections.close_all()  # each thread that needs one makes its own
        run(host, options["port"], tls=tls)
