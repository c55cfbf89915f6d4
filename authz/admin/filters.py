"""Filters that several lists share: a choice among named conditions."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

SOON = timedelta(days=30)
"""What ends within this time is worth a look."""

Condition = Callable[[datetime], Q]
"""Says, told the time, which rows are meant."""


class Conditions(admin.SimpleListFilter):
    """Keeps the rows for which one of a few conditions holds."""

    conditions: ClassVar[dict[str, tuple[str, Condition]]]

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[tuple[str, str]]:
        """Return the conditions by name."""
        return [(name, label) for name, (label, _) in self.conditions.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        """Keep the rows for which the chosen one holds; a name that nobody listed changes nothing."""
        chosen = self.conditions.get(str(self.value()))
        return queryset.filter(chosen[1](timezone.now())) if chosen else queryset


class Ends(Conditions):
    """By whether something has ended by itself, or soon will."""

    title = "end"
    parameter_name = "ends"
    conditions: ClassVar = {
        "never": ("never", lambda _now: Q(until=None)),
        "later": ("still in force", lambda now: Q(until=None) | Q(until__gt=now)),
        "soon": ("ends within 30 days", lambda now: Q(until__gt=now, until__lte=now + SOON)),
        "past": ("has ended", lambda now: Q(until__lte=now)),
    }
