"""Empties every table between two tests, and refuses to empty a real book.

Django's test cases call `flush` with an option that the command line does not have. For them the triggers that guard
the book are lifted within one transaction. Typed by hand the command meets the triggers and fails: whoever wants to
start anew makes a new database.
"""

from django.core.management.commands import flush
from django.db import connections, transaction

from audit import guard


class Command(flush.Command):
    """Django's flush, which knows the book."""

    def handle(self, **options: object) -> None:
        """Empty the tables, in one transaction with lifting and setting the guard."""
        if "reset_sequences" not in options:
            return super().handle(**options)
        alias = str(options["database"])
        with transaction.atomic(using=alias):
            guard.remove(connections[alias])
            super().handle(**options)
            guard.install(connections[alias])
        return None
