"""A sign-in that is under way at a provider, kept in the browser that began it and readable by nobody.

    gatehouse-oidc-<first 16 hex digits of SHA-256(state)> = wrap({"nonce", "verifier", "rd", "until"})

Each has a cookie of its own, so that several tabs can sign in at once, and is bound to its provider and its `state`
by the purpose it is wrapped for. With HTTPS the name begins with __Host-, so that no neighbouring domain can plant one.
"""

import hashlib
import json
import re
import time
from datetime import UTC, datetime
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from authz.conf import signing_key
from authz.errors import BadCredential
from authz.formats.wrapped import unwrap, wrap

PATIENCE = 600
"""Seconds that somebody may take at the provider."""
MOST = 8
"""Sign-ins under way in one browser; headers have limits."""


class State(NamedTuple):
    """What is remembered of a sign-in under way."""

    nonce: str
    verifier: str
    rd: str
    until: float

    @property
    def since(self) -> datetime:
        """Return when it was begun."""
        return datetime.fromtimestamp(self.until - PATIENCE, UTC)


def keep(answer: HttpResponse, request: HttpRequest, *, provider: str, state: str, held: State) -> None:
    """Put a sign-in into the browser's keeping, for ten minutes."""
    # Only names that we give: another, which somebody planted, might be none that a cookie can be deleted by.
    ours = re.compile(re.escape(_prefix()) + "[0-9a-f]{16}")
    for old in [name for name in request.COOKIES if ours.fullmatch(name)][MOST - 1 :]:
        _delete(answer, old)
    answer.set_cookie(
        _name(state),
        wrap(json.dumps(held._asdict()), key=signing_key("oidc"), purpose=f"oidc/{provider}/{state}"),
        max_age=PATIENCE,
        secure=settings.COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
        path="/",
    )


def held_by(request: HttpRequest, *, provider: str, state: str) -> State | None:
    """Return the sign-in that this browser began with this provider; None if it did not, or too long ago."""
    try:
        text = unwrap(
            request.COOKIES.get(_name(state), ""), key=signing_key("oidc"), purpose=f"oidc/{provider}/{state}"
        )
    except BadCredential:
        return None
    if not text:
        return None
    held = State(**json.loads(text))
    return held if time.time() < held.until else None


def drop(answer: HttpResponse, state: str) -> None:
    """Let the browser forget a sign-in that is over."""
    _delete(answer, _name(state))


def _prefix() -> str:
    return f"{'__Host-' if settings.COOKIE_SECURE else ''}gatehouse-oidc-"


def _name(state: str) -> str:
    return _prefix() + hashlib.sha256(state.encode("utf-8", "replace")).hexdigest()[:16]


def _delete(answer: HttpResponse, name: str) -> None:
    answer.set_cookie(name, "", max_age=0, secure=settings.COOKIE_SECURE, httponly=True, samesite="Lax", path="/")
