"""JWTs of trusted issuers (RFC 7519), shown as a Bearer token."""

import hashlib
import json
import warnings
from base64 import urlsafe_b64decode
from typing import Any, TypeGuard

from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet

from authz.credentials.contract import Presented, Unsettled
from authz.credentials.issuer_keys import KEYS
from authz.decisions.facts import IssuerIs
from authz.decisions.vocabulary import Principal
from authz.decisions.world import World
from authz.errors import BadCredential
from authz.formats.emails import find_email

# RFC 9864 would have it called Ed25519; issuers go on calling it EdDSA.
warnings.filterwarnings("ignore", message="EdDSA is deprecated", category=SecurityWarning)

DOTS = 2
"""Between the three parts of a signed JWT (RFC 7515 §7.1)."""
LONGEST = 8192
"""Characters of a token; more is not a token but an attempt to keep us busy."""
LEEWAY = 30.0
"""Seconds that clocks may differ by (RFC 7519 §4.1.4 allows a small leeway)."""
REMEMBERED = 4096
"""Tokens whose signature was found good, kept so that it is checked once and not at each request."""

_verified: dict[bytes, tuple[IssuerIs, int, dict[str, Any]]] = {}


def read(presented: Presented, world: World, at: float) -> Principal | None:
    """Return the person a token names; None if it is not a JWT of an issuer we trust."""
    token = presented.bearer
    if token.count(".") != DOTS:
        return None
    unverified = _unverified_part(token, 1)  # only to learn whose keys to check it with
    named = unverified.get("iss") if unverified else None
    issuer = world.issuers.get(named) if isinstance(named, str) else None
    if issuer is None:
        return None
    if len(token) > LONGEST:
        message = "this token is too long"
        raise BadCredential(message)
    claims = _signed_claims(token, issuer, at)
    until = _check(claims, issuer, at)
    email = claims.get(issuer.claim)
    if not isinstance(email, str) or (number := world.by_email.get(find_email(email))) is None:
        message = "this token names nobody we know"
        raise BadCredential(message)
    if issuer.claim == "email" and claims.get("email_verified") is False:
        message = "this token's e-mail address is not verified"
        raise BadCredential(message)
    return Principal(number, f"jwt:{issuer.number}", None, until)


def _unverified_part(token: str, index: int) -> dict[str, Any] | None:
    """Return the header (0) or the claims (1) of a token, not believed; None if it has none."""
    part = token.split(".")[index]
    try:
        value = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _signed_claims(token: str, issuer: IssuerIs, at: float) -> dict[str, Any]:
    """Return the claims of a token whose signature is good by the issuer's present keys."""
    keys, generation = KEYS.of(issuer)
    name = hashlib.sha256(token.encode("utf-8", "replace")).digest()
    known = _verified.get(name)
    if known is not None and known[0] is issuer and known[1] == generation and not KEYS.stale(issuer, at):
        return known[2]
    unverified_header = _unverified_part(token, 0) or {}
    kid = unverified_header.get("kid")
    if not isinstance(kid, str | None):
        message = "this token names its key by something other than a text"
        raise BadCredential(message)
    known_kids = {key.get("kid") for key in keys}
    unknown = not keys or (kid is not None and kid not in known_kids)
    if (unknown or KEYS.stale(issuer, at)) and KEYS.may_fetch(issuer, at):
        raise Unsettled(lambda: KEYS.fetch(issuer, at))
    if unknown:
        message = "this token's key is not one of its issuer's"
        raise BadCredential(message)
    # The algorithm is the one our configuration allows and the key is of, never the one the token asks for.
    if unverified_header.get("alg") not in issuer.algorithms or "crit" in unverified_header:
        message = "this token is signed in a way its issuer may not use"
        raise BadCredential(message)
    candidates = [key for key in keys if kid is None or key.get("kid") == kid]
    claims = _verify(token, candidates, issuer)
    if len(_verified) >= REMEMBERED:
        _verified.clear()
    _verified[name] = (issuer, generation, claims)
    return claims


def _verify(token: str, candidates: list[dict[str, Any]], issuer: IssuerIs) -> dict[str, Any]:
    registry = jws.JWSRegistry(algorithms=list(issuer.algorithms))
    for key in candidates:
        try:
            payload = jws.deserialize_compact(
                token, KeySet.import_key_set({"keys": [key]}).keys[0], registry=registry
            ).payload
            claims = json.loads(payload)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            continue
        if isinstance(claims, dict):
            return claims
    message = "this token's signature is not its issuer's"
    raise BadCredential(message)


def _check(claims: dict[str, Any], issuer: IssuerIs, at: float) -> float:
    """Check the claims that limit a token (RFC 7519 §4.1) and return when it ends."""
    if claims.get("iss") != issuer.issuer:
        message = "this token is of another issuer"
        raise BadCredential(message)
    audience = claims.get("aud")
    if isinstance(audience, str):
        audience = [audience]
    if not _texts(audience) or set(issuer.audiences).isdisjoint(audience):
        message = "this token is meant for somebody else"
        raise BadCredential(message)
    expires = claims.get("exp")
    if not _is_moment(expires) or at >= expires + LEEWAY:
        message = "this token has expired"
        raise BadCredential(message)
    for claim in ("nbf", "iat"):
        begins = claims.get(claim, 0)
        if not _is_moment(begins) or at < begins - LEEWAY:
            message = "this token is not good yet"
            raise BadCredential(message)
    return float(expires + LEEWAY)


def _texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_moment(value: object) -> TypeGuard[float]:
    """Return whether a claim is a NumericDate (RFC 7519 §2); true and false are numbers to Python, not here."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53


def anchor(who: Principal, number: int, world: World) -> tuple[IssuerIs, str] | None:
    """Return the issuer that a principal rests on and the name it gave; None if it is no longer trusted."""
    person = world.people.get(who.person)
    held = next((issuer for issuer in world.issuers.values() if issuer.number == number), None)
    return None if held is None or person is None else (held, person.email)


def renewed(who: Principal, anchored: tuple[IssuerIs, str], first: tuple[IssuerIs, str]) -> Principal | None:
    """Return the principal if the issuer is trusted in the same way for the same name; the token itself is gone."""
    return who if anchored == first else None
