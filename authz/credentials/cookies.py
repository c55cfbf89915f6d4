"""Finds our session cookie in a Cookie header (RFC 6265 §4.2.1)."""

import re

from authz.conf import hot

_patterns: dict[str, re.Pattern[str]] = {}


def session_cookies(cookie: str) -> tuple[str, ...]:
    """Return every value of our cookie, also where a proxy joined several lines by a comma."""
    name = hot.cookie
    if name not in cookie:
        return ()
    if (pattern := _patterns.get(name)) is None:
        pattern = _patterns[name] = re.compile(rf"(?:^|[;,])\s*{re.escape(name)}=([^;,\s]+)")
    return tuple(pattern.findall(cookie))


def session_part(cookie: str) -> str:
    """Return all of a header that `session_cookies` can depend on, so that other cookies do not matter."""
    mark = hot.cookie + "="
    start = cookie.find(mark)
    if start < 0:
        return ""
    if cookie.find(mark, start + 1) >= 0:
        return cookie
    end = cookie.find(";", start)
    return cookie[:start].rstrip()[-1:] + (cookie[start:] if end < 0 else cookie[start:end])
