"""Collects the credentials in a request, as text that nobody believes yet."""

import re

from authz.conf import hot
from authz.credentials import Presented
from authz.edge.request import Request

_patterns: dict[str, re.Pattern[str]] = {}


def presented_by(request: Request) -> Presented:
    """Return the credentials in a request, as text."""
    headers = request.headers
    bearer = ""
    if authorization := headers.get("authorization"):
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer":
            bearer = token.strip()
    cookie = headers.get("cookie")
    return Presented(bearer, headers.get("x-api-key", "").strip(), session_cookies(cookie) if cookie else ())


def session_cookies(cookie: str) -> tuple[str, ...]:
    """Return every value of our cookie in a Cookie header, also where HAProxy joined several lines by a comma."""
    name = hot.cookie
    if name not in cookie:
        return ()
    if (pattern := _patterns.get(name)) is None:
        pattern = _patterns[name] = re.compile(rf"(?:^|[;,])\s*{re.escape(name)}=([^;,\s]+)")
    return tuple(pattern.findall(cookie))
