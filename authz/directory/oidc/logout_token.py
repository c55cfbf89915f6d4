"""Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4): whose sessions a provider has ended, checked by §2.6."""

import hashlib
from typing import NamedTuple

from authz.directory.oidc.provider import Provider
from authz.directory.oidc.signed import claims_of
from authz.errors import BadCredential
from authz.formats.signed_jwt import LEEWAY

TYPES = frozenset({"", "jwt", "logout+jwt"})
"""It should say logout+jwt; providers older than that say JWT or nothing, and `events` tells them apart anyway."""
EVENT = "http://schemas.openid.net/event/backchannel-logout"
FRESH = 300.0
"""Seconds after its issue in which it is taken; providers are told to make it last two minutes (§4)."""
LONGEST = 255


class LoggedOut(NamedTuple):
    """Whom a provider has signed out, and the token's own name."""

    subject: str
    """Empty if only the provider's session was named."""
    sid: str
    """Empty if all sessions of the subject are meant."""
    name: str
    """SHA-256 of the jti."""
    until: float
    """When it would not be taken any more anyway."""


def verified(token: object, provider: Provider, *, at: float) -> LoggedOut:
    """Return what a logout token says; BadCredential says what is wrong with it. That it is used once, others check."""
    _, claims = claims_of(token, provider, types=TYPES, at=at)
    if claims["iat"] < at - FRESH - LEEWAY:
        message = "this logout token is too old"
        raise BadCredential(message)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        message = "this is not a logout token"
        raise BadCredential(message)
    if "nonce" in claims:
        message = "a logout token has no nonce"
        raise BadCredential(message)
    named = {}
    for claim in ("sub", "sid", "jti"):
        value = claims.get(claim, "")
        fine = isinstance(value, str) and len(value) <= LONGEST and value.isprintable()
        if not fine or (claim in claims and not value):
            message = f"this logout token's {claim} is not a text of at most {LONGEST} characters that can be shown"
            raise BadCredential(message)
        named[claim] = value
    if not named["sub"] and not named["sid"]:
        message = "this logout token names nobody"
        raise BadCredential(message)
    if not named["jti"]:
        message = "this logout token has no name of its own"
        raise BadCredential(message)
    until = min(claims["exp"], claims["iat"] + FRESH) + LEEWAY
    return LoggedOut(named["sub"], named["sid"], hashlib.sha256(named["jti"].encode()).hexdigest(), until)
