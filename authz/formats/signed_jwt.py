"""Signed JWTs (RFC 7519 in the compact form of RFC 7515 §7.1): what is checked of any of them, whoever issued it."""

import json
import warnings
from base64 import urlsafe_b64decode
from collections.abc import Collection, Iterable
from typing import Any, Final, TypeGuard

from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet

from authz.errors import BadCredential

# RFC 9864 would have it called Ed25519; issuers go on calling it EdDSA.
warnings.filterwarnings("ignore", message="EdDSA is deprecated", category=SecurityWarning)

DOTS: Final = 2
"""Between the three parts of a signed JWT (RFC 7515 §7.1)."""
LEEWAY: Final = 30.0
"""Seconds that clocks may differ by (RFC 7519 §4.1.4 allows a small leeway)."""


def unverified_part(token: str, index: int) -> dict[str, Any] | None:
    """Return the header (0) or the claims (1) of a token, not believed; None if it has none."""
    part = token.split(".")[index]
    try:
        value = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def signed_claims(token: str, keys: Iterable[dict[str, Any]], algorithms: Collection[str]) -> dict[str, Any] | None:
    """Return the claims of a token that one of these keys signed by one of these algorithms; None if none did."""
    registry = jws.JWSRegistry(algorithms=list(algorithms))
    for key in keys:
        try:
            payload = jws.deserialize_compact(
                token, KeySet.import_key_set({"keys": [key]}).keys[0], registry=registry
            ).payload
            claims = json.loads(payload)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            continue
        if isinstance(claims, dict):
            return claims
    return None


def check_limits(claims: dict[str, Any], *, issuer: str, audiences: Collection[str], at: float) -> float:
    """Check the claims that limit a token (RFC 7519 §4.1) and return when it ends; BadCredential says what is wrong."""
    if claims.get("iss") != issuer:
        message = "this token is of another issuer"
        raise BadCredential(message)
    if set(audiences).isdisjoint(audience_of(claims)):
        message = "this token is meant for somebody else"
        raise BadCredential(message)
    expires = claims.get("exp")
    if not is_moment(expires) or at >= expires + LEEWAY:
        message = "this token has expired"
        raise BadCredential(message)
    for claim in ("nbf", "iat"):
        begins = claims.get(claim, 0)
        if not is_moment(begins) or at < begins - LEEWAY:
            message = "this token is not good yet"
            raise BadCredential(message)
    return float(expires + LEEWAY)


def audience_of(claims: dict[str, Any]) -> list[str]:
    """Return whom a token is meant for (RFC 7519 §4.1.3); nobody, if the claim is malformed."""
    audience = claims.get("aud")
    if isinstance(audience, str):
        audience = [audience]
    if not isinstance(audience, list) or not all(isinstance(each, str) for each in audience):
        return []
    return audience


def is_moment(value: object) -> TypeGuard[float]:
    """Return whether a claim is a NumericDate (RFC 7519 §2); true and false are numbers to Python, not here."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53
