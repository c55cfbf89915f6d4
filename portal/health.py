"""Whether anything needs somebody's attention: `GET /healthz`, for a monitor and not for a load balancer.

    {"healthy": false,
     "directories": [{"directory": "ldap:corp", "state": "failing", "since": "2026-11-22T08:30:00+00:00"}]}

200 if all is well, 503 if not. It names no more than that: what is wrong with a directory is told to administrators.
"""

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from authz.lookups.attention import wanted


@never_cache
@require_safe
def show(_request: HttpRequest) -> JsonResponse:
    """Say what needs attention."""
    try:
        found = wanted()
    except DatabaseError:
        return JsonResponse({"healthy": False, "database": "cannot be asked"}, status=503)
    told = [{"directory": each.directory, "state": each.state, "since": each.since.isoformat()} for each in found]
    return JsonResponse({"healthy": not found, "directories": told}, status=503 if found else 200)
