"""When sessions were last used, as the tables know it."""

from datetime import UTC, datetime

from authz.models import Session


def sessions_seen_since(since: float) -> list[tuple[int, float]]:
    """Return open sessions used after `since`, each with its last use, both in seconds since the epoch."""
    moment = datetime.fromtimestamp(max(since, 0.0), tz=UTC)
    rows = Session.objects.filter(ended_at=None, seen_at__gt=moment).values_list("pk", "seen_at")
    return [(number, seen.timestamp()) for number, seen in rows]
