"""What an ID token and a logout token have in common: the provider's signature, by an algorithm that we allow."""

from typing import Any

from authz.directory.oidc.provider import Provider
from authz.errors import BadCredential
from authz.formats.claims import type_of
from authz.formats.signed_jwt import DOTS, audience_of, check_limits, is_moment, signed_claims, unverified_part
from authz.outbound.key_sets import KEY_SETS

LONGEST = 64 * 1024
"""Characters of a token; one with thousands of groups in it stays below."""


def claims_of(
    token: object, provider: Provider, *, types: frozenset[str], at: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a token that the provider signed for us, within its limits; BadCredential if not.

    `types` are the media types it may say that it is (RFC 8725 §3.11), in lower case and without "application/".
    """
    if not isinstance(token, str) or not token.isascii() or token.count(".") != DOTS or len(token) > LONGEST:
        message = "this token is not a signed JWT"
        raise BadCredential(message)
    unverified_header = unverified_part(token, 0) or {}
    if type_of(unverified_header) not in types:
        message = "this token is of another type"
        raise BadCredential(message)
    algorithm, kid = unverified_header.get("alg"), unverified_header.get("kid")
    # What our configuration allows, never what the token asks for: neither `none` nor a shared secret is in it.
    if algorithm not in provider.settings.algorithms or "crit" in unverified_header:
        message = "this token is signed in a way its provider may not use"
        raise BadCredential(message)
    if not isinstance(kid, str | None):
        message = "this token names its key by something other than a text"
        raise BadCredential(message)
    claims = _by_known_keys(token, provider, algorithm, kid, at)
    check_limits(claims, issuer=provider.settings.issuer, audiences=[provider.settings.client_id], at=at)
    if not is_moment(claims.get("iat")):
        message = "this token does not say when it was issued"
        raise BadCredential(message)
    _check_party(claims, provider.settings.client_id)
    return unverified_header, claims


def _by_known_keys(token: str, provider: Provider, algorithm: str, kid: str | None, at: float) -> dict[str, Any]:
    """Return the claims that one of the provider's keys signed; keys that have changed are fetched again, once."""
    url = provider.metadata.jwks_uri
    known = KEY_SETS.of(url, at)
    claims = _by(known, token, algorithm, kid)
    if claims is None and (newer := KEY_SETS.newer(url, at, than=known)) is not None:
        claims = _by(newer, token, algorithm, kid)
    if claims is None:
        message = "this token's signature is not its provider's"
        raise BadCredential(message)
    return claims


def _by(keys: list[dict[str, Any]], token: str, algorithm: str, kid: str | None) -> dict[str, Any] | None:
    fitting = [key for key in keys if key.get("alg", algorithm) == algorithm and kid in {None, key.get("kid")}]
    return signed_claims(token, fitting, [algorithm])


def _check_party(claims: dict[str, Any], client_id: str) -> None:
    """Check to whom the token was issued (Core 1.0 §3.1.3.7, 4 and 5): to us, where it says so or must."""
    party = claims.get("azp")
    if party is None and len(set(audience_of(claims))) == 1:
        return
    if party != client_id:
        message = "this token was issued to somebody else"
        raise BadCredential(message)
