"""Writes down in bulk when sessions and keys were last used.

The one write without an entry in the book and without a revision: it changes no right. It is a summary of what the
decisions in the book tell one by one, and it is written by a background thread, never by a request.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from authz.models import ApiKey, Session

ROWS_AT_ONCE = 500


def note(*, sessions: Mapping[int, float], keys: Mapping[int, float]) -> None:
    """Move the last use of sessions and keys forward to these seconds since the epoch; never back."""
    kinds: tuple[tuple[Any, str, Mapping[int, float]], ...] = (
        (Session.objects, "seen_at", sessions),
        (ApiKey.objects, "last_used_at", keys),
    )
    for rows, name, used in kinds:
        numbers = sorted(used)
        for start in range(0, len(numbers), ROWS_AT_ONCE):
            with transaction.atomic():
                moved = []
                # Rows that a change holds are left for the next time: this must never make a change wait, or fail.
                free = rows.select_for_update(skip_locked=True).order_by("pk")
                for row in free.filter(pk__in=numbers[start : start + ROWS_AT_ONCE]).only("pk", name):
                    at, held = datetime.fromtimestamp(used[row.pk], tz=UTC), getattr(row, name)
                    if held is None or held < at:
                        setattr(row, name, at)
                        moved.append(row)
                rows.bulk_update(moved, [name])
