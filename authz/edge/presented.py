"""Collects the credentials in a request, as text that nobody believes yet."""

from authz.credentials import Presented
from authz.credentials.cookies import session_cookies
from authz.edge.request import Request


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
