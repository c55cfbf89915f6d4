"""What needs an administrator's attention: directories that fail or are not read, and runs that wait for approval."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Q
from django.utils import timezone

from authz.models import Run, Source

LATE = timedelta(minutes=10)
"""After it was due, or asked for, something is wrong with whoever works in the background."""


class Wanted(NamedTuple):
    """A directory that somebody should look at."""

    directory: str
    state: str
    """failing, waiting (for approval), or overdue."""
    since: datetime
    words: str
    run: int | None = None


def wanted() -> list[Wanted]:
    """Return what needs attention, what fails first; three queries."""
    late = timezone.now() - LATE
    failing = Source.objects.filter(enabled=True, failing_since__isnull=False)
    light = Run.objects.select_related("source").only("queued_at", "reasons", "leased_until", "source")
    waiting = light.filter(state=Run.WAITING).order_by("pk")
    idle = Q(state=Run.QUEUED, queued_at__lt=late) | Q(state=Run.RUNNING, leased_until__lt=late)
    overdue = light.filter(idle).order_by("pk")
    never = Source.objects.filter(kind=Source.LDAP, enabled=True, due_at__lt=late).exclude(
        runs__state__in=(Run.QUEUED, Run.RUNNING)
    )
    nobody = "nobody works on it; is manage.py work running?"
    return [
        *(Wanted(str(each), "failing", each.failing_since, each.failure) for each in failing if each.failing_since),
        *(Wanted(str(run.source), "overdue", run.queued_at, nobody, run.pk) for run in overdue),
        *(Wanted(str(each), "overdue", each.due_at, nobody) for each in never if each.due_at),
        *(Wanted(str(run.source), "waiting", run.queued_at, "; ".join(run.reasons), run.pk) for run in waiting),
    ]
