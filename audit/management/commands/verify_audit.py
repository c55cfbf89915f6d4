"""Checks that the book is what was written, and names the first entry that is not."""

import sys
from argparse import ArgumentParser

from django.core.management import BaseCommand, CommandError

from audit.verify import NoSuchEntry, verify_book


class Command(BaseCommand):
    """Walk the chain; the exit status is 0 only if it is intact."""

    help = "Verifies the hash chain of the audit log; exits with 1 and names the first broken entry if there is one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --from."""
        parser.add_argument(
            "--from", dest="start", type=int, default=1, metavar="N", help="begin at entry N, believing the one before"
        )

    def handle(self, *, start: int, **_: object) -> None:
        """Verify."""
        if start < 1:
            raise CommandError("entries are numbered from 1")
        try:
            found = verify_book(start)
        except NoSuchEntry as error:
            raise CommandError(str(error)) from error
        if found.broken:
            self.stdout.write(f"BROKEN at {found.broken}")
            sys.exit(1)
        self.stdout.write(f"{found.entries} entries, chain intact, head {found.head}")
