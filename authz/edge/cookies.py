"""Takes our session out of a Cookie header (RFC 6265 §4.2.1), for what is behind us need not see it."""

from authz.conf import hot


def without_session(cookie: str) -> str:
    """Return a Cookie header without our session cookie, however often and under whichever prefix it stands there.

    A proxy may have joined several lines by a comma: where our name is left after all, nothing is passed on.
    """
    bare = hot.cookie.removeprefix("__Host-").removeprefix("__Secure-")
    names = {bare, f"__Host-{bare}", f"__Secure-{bare}"}
    kept = [part.strip() for part in cookie.split(";") if part.partition("=")[0].strip() not in names]
    left = "; ".join(part for part in kept if part)
    return "" if f"{bare}=" in left else left
