"""What needs an administrator's attention: directories that fail, and runs that wait for approval."""

from datetime import datetime
from typing import NamedTuple

from authz.models import Run, Source


class Wanted(NamedTuple):
    """A directory that somebody should look at."""

    directory: str
    state: str
    """failing, or waiting for approval."""
    since: datetime
    words: str
    run: int | None = None


def wanted() -> list[Wanted]:
    """Return what needs attention, what fails first; two queries."""
    failing = Source.objects.filter(enabled=True, failing_since__isnull=False)
    waiting = Run.objects.filter(state=Run.WAITING).select_related("source").order_by("pk")
    return [
        *(Wanted(str(each), "failing", each.failing_since, each.failure) for each in failing if each.failing_since),
        *(Wanted(str(run.source), "waiting", run.queued_at, "; ".join(run.reasons), run.pk) for run in waiting),
    ]
