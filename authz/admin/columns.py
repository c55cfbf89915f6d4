"""Columns that several lists share: moments in UTC, and long lists cut short."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.utils.html import format_html
from django.utils.safestring import SafeString

FEW = 3
"""Items of a list that a column shows."""


def utc(moment: datetime | None, never: str = "never") -> SafeString:
    """Return a moment to the minute, in one line; what is stored is in UTC."""
    return format_html('<span class="whitespace-nowrap">{}</span>', f"{moment:%Y-%m-%d %H:%M}" if moment else never)


def when(field: str, label: str, *, never: str = "never") -> Callable[[Any, Model], SafeString]:
    """Return a column for a moment."""

    @admin.display(description=f"{label} (UTC)", ordering=field)
    def column(_screen: object, row: Model) -> SafeString:
        return utc(getattr(row, field), never)

    return column


def several(field: str, label: str, *, none: str) -> Callable[[Any, Model], str]:
    """Return a column for a list of texts."""

    @admin.display(description=label)
    def column(_screen: object, row: Model) -> str:
        return shortened(getattr(row, field) or (), none)

    return column


def shortened(items: Sequence[str], none: str) -> str:
    """Return the first items and how many more there are."""
    more = f" and {len(items) - FEW} more" if len(items) > FEW else ""
    return ", ".join(items[:FEW]) + more if items else none
