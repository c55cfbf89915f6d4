"""Begins another history of revisions, after a backup was restored."""

from typing import Any

from django.core.management.base import BaseCommand

from audit.context import Actor
from authz.changes.beginnings import begin_another_history


class Command(BaseCommand):
    """Gives the history another name."""

    help = "After restoring a backup: refuse revisions that callers hold from the history that was lost."

    def handle(self, *_: Any, **__: Any) -> None:  # noqa: ANN401  the shape Django wants
        """Begin it."""
        epoch = begin_another_history(by=Actor.command("new_epoch"))
        self.stdout.write(f"Revisions now begin with {epoch}.")
