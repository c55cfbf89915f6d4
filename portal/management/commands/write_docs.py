"""Writes the pages that are made from the code, or says which of them are stale."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from portal.docs import ROOT, pages


class Command(BaseCommand):
    """Writes them."""

    help = "Write the generated documentation; with --check, only say which page is stale, and exit with 1 if one is."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --check."""
        parser.add_argument("--check", action="store_true", help="write nothing")

    def handle(self, *_: Any, check: bool, **__: Any) -> None:  # noqa: ANN401  the shape Django wants
        """Write, or compare."""
        stale = 0
        for path, text in pages().items():
            if path.is_file() and path.read_text(encoding="utf-8") == text:
                continue
            stale += 1
            self.stdout.write(f"{'stale' if check else 'written'}: {path.relative_to(ROOT)}")
            if not check:
                path.write_text(text, encoding="utf-8")
        if check and stale:
            sys.exit(1)
