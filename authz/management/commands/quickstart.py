"""Starts a portal to look around in: tables, a small organisation, a server, and lines to paste."""

import os
import threading
import time
from argparse import ArgumentParser
from typing import Any

import httpx
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from authz.management import demo
from authz.models import User

PATIENCE = 60.0
"""Seconds that the server may take to answer for the first time."""


class Command(BaseCommand):
    """Starts it."""

    help = "Migrate, load a small organisation into an empty database, and serve it on this machine."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the port."""
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--new-secrets", action="store_true", help="new passwords, keys and proxy secret")

    def handle(self, *_: Any, **options: Any) -> None:  # noqa: ANN401  the shape Django wants
        """Start."""
        if not settings.LOCAL:
            message = "quickstart is for looking around on one's own machine; set PORTAL_MODE=local, or use serve"
            raise CommandError(message)
        call_command("migrate", verbosity=0)
        empty = not User.objects.exists()
        if empty:
            demo.load()
        shown = None
        if empty or (options["new_secrets"] and User.objects.filter(email=demo.SERVICE).exists()):
            shown = demo.renew_secrets()
        address = f"http://127.0.0.1:{options['port']}"
        if "PORTAL_URL" not in os.environ:
            settings.PORTAL_URL, settings.CSRF_TRUSTED_ORIGINS = address, [address]
        threading.Thread(target=self._greet, args=(address, shown), daemon=True).start()
        call_command("serve", host="127.0.0.1", port=options["port"])

    def _greet(self, address: str, shown: demo.Secrets | None) -> None:
        """Say where the portal is, once it answers."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            try:
                if httpx.get(f"{address}/readyz", timeout=2).status_code == httpx.codes.OK:
                    break
            except httpx.HTTPError:
                time.sleep(0.1)
        self.stdout.write(f"\nGatehouse is at {address}   (administration: {address}/admin/)   Ctrl-C stops it.\n")
        if shown is None:
            self.stdout.write(
                "Passwords and keys were shown at the first start and are not stored.\n"
                "For new ones: make run ARGS=--new-secrets\n"
            )
            return
        self.stdout.write("Sign in as (shown this once):")
        for email, password in shown.passwords.items():
            self.stdout.write(f"  {email:20} {password}")
        self.stdout.write(
            f"""
May user@example.com open search?  (as a proxy asks: 200 is yes, 401 sign in, 403 no)
  curl -i {address}/auth/validate -H 'X-Proxy-Secret: {shown.proxy_secret}' \\
    -H 'X-Original-URL: https://mcp.example.com/search' -H 'X-Original-Method: GET' \\
    -H 'Authorization: Bearer {shown.personal_key}'

Is user@example.com in mcp_basic?  (as a service asks)
  curl -s {address}/api/v1/groups/check -H 'Authorization: Bearer {shown.service_key}' \\
    -H 'Content-Type: application/json' -d '{{"user_id": "user@example.com", "group_id": "mcp_basic"}}'

Why may user@example.com not create issues in jira, and what would change that?
  curl -s -H 'Authorization: Bearer {shown.service_key}' \\
    '{address}/api/v1/explain?person=user@example.com&server=jira&tool=create_issue'
"""  # house: the lines to paste speak as a proxy does
        )
