"""Knows who is signed in: the session cookie, read by the same code as at the proxy."""

import time

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from authz.credentials import Presented, Unsettled
from authz.credentials.cookies import session_cookies
from authz.credentials.session import read
from authz.decisions.vocabulary import Principal
from authz.errors import BadCredential
from authz.lookups.current import current_world
from authz.models import User


def principal_of(request: HttpRequest) -> Principal | None:
    """Return who holds the request's session, or None; a session that has ended is nobody's."""
    # All of them, as at the proxy: Django would keep the last, which a neighbouring domain may have planted.
    presented = Presented(sessions=session_cookies(request.headers.get("Cookie", "")))
    try:
        try:
            return read(presented, current_world(), time.time())
        except Unsettled as error:
            error.settle()
            return read(presented, current_world(), time.time())
    except (BadCredential, Unsettled):
        return None


def person_of(request: HttpRequest) -> User | AnonymousUser:
    """Return the active person who is signed in, or nobody."""
    principal = principal_of(request)
    person = User.objects.filter(pk=principal.person, is_active=True).first() if principal else None
    return person or AnonymousUser()


class SignedIn(AuthenticationMiddleware):
    """Puts the person on the request."""

    def process_request(self, request: HttpRequest) -> None:
        """Give the request a `user` that is found when it is first asked for."""
        request.user = SimpleLazyObject(lambda: person_of(request))  # type: ignore[assignment]  # as Django's own does
