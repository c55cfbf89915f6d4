"""Collects the credentials in a request, as text that nobody believes yet."""

import re

from django.conf import settings

from authz.credentials import Presented
from authz.edge.request import Request

_pattern: list[re.Pattern[str]] = []


def presented_by(request: Request) -> Presented:
    """Return the credentials in a request, as text."""
    headers = request.headers
    scheme, _, token = headers.get("authorization", "").partition(" ")
    cookie = headers.get("cookie")
    return Presented(
        token.strip() if scheme.lower() == "bearer" else "",
        headers.get("x-api-key", "").strip(),
        tuple(_session_cookie().findall(cookie)) if cookie else (),
    )


def _session_cookie() -> re.Pattern[str]:
    """Return what finds our cookie in a Cookie header, also where HAProxy joined several lines by a comma."""
    if not _pattern:
        _pattern.append(re.compile(rf"(?:^|[;,])\s*{re.escape(settings.AUTHZ_COOKIE_NAME)}=([^;,\s]+)"))
    return _pattern[0]
