"""Registers a trusted proxy at the command line, before the first start, or gives it another secret."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.context import Actor
from authz.changes import proxies
from authz.errors import AuthzError
from authz.models import Proxy


class Command(BaseCommand):
    """Trusts a proxy."""

    help = (
        "Honour what a proxy forwards, by its network, by a shared secret in X-Proxy-Secret, or by both. "
        "A proxy that is known already gets what is said now in place of what it had."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the proxy's name and how it is known."""
        parser.add_argument("name")
        parser.add_argument("--network", action="append", default=[], help="in CIDR form; may be given several times")
        parser.add_argument("--secret-file", type=Path, help="a file that holds the shared secret")

    def handle(self, *_: Any, **options: Any) -> None:  # noqa: ANN401  the shape Django wants
        """Trust it."""
        try:
            secret = options["secret_file"].read_text().strip() if options["secret_file"] else ""
            by, networks = Actor.command("trust_proxy"), options["network"]
            known = Proxy.objects.filter(name=options["name"].strip()).first()
            if known is None:
                proxy = proxies.trust(name=options["name"], secret=secret, networks=networks, by=by)
            else:
                proxy = proxies.edit(known, new_secret=secret, networks=networks, enabled=True, by=by)
        except (AuthzError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{proxy.name} is trusted.")
