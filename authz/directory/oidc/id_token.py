"""ID tokens (Core 1.0 §2): believed only if all of §3.1.3.7 holds."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Any

from authz.directory.oidc.provider import Provider
from authz.directory.oidc.signed import claims_of
from authz.errors import BadCredential

TYPES = frozenset({"", "jwt"})
HASHES = {"RS256": "sha256", "PS256": "sha256", "ES256": "sha256", "ES384": "sha384", "EdDSA": "sha512"}
"""The hash of each algorithm's signature, by which at_hash is made (Core 1.0 §3.1.3.6; Ed25519: RFC 8032 §5.1)."""
LONGEST_SUBJECT = 255
"""Characters (Core 1.0 §2)."""


def verified(  # noqa: PLR0913  one argument for each thing it is held against
    token: object, provider: Provider, *, nonce: str | None, access_token: str, at: float, subject: str = ""
) -> dict[str, Any]:
    """Return the claims of an ID token; BadCredential says what is wrong with it.

    `nonce` is ours of the request it answers; None for one that answers a refresh and need not repeat it, whose
    `subject` must be that of the first (Core 1.0 §12.2).
    """
    header, claims = claims_of(token, provider, types=TYPES, at=at)
    if "events" in claims:
        message = "this is a logout token, and not an ID token"
        raise BadCredential(message)
    said = claims.get("sub")
    if not isinstance(said, str) or not 0 < len(said) <= LONGEST_SUBJECT or not said.isprintable():
        message = "this token names nobody"
        raise BadCredential(message)
    if subject and said != subject:
        message = "this token is about somebody else"
        raise BadCredential(message)
    if nonce is not None and not _same(claims.get("nonce"), nonce):
        message = "this token answers another sign-in"
        raise BadCredential(message)
    if "at_hash" in claims and not _same(claims["at_hash"], at_hash(access_token, header["alg"])):
        message = "this token came with another access token"
        raise BadCredential(message)
    check_assurance(claims.get("acr"), provider)
    return claims


def check_assurance(acr: object, provider: Provider) -> None:
    """Raise BadCredential if somebody was not checked as strictly as the settings require now."""
    allowed = provider.settings.required_acr
    if allowed and acr not in allowed:
        message = f"{provider.title} did not check you as strictly as is required here"
        raise BadCredential(message)


def at_hash(access_token: str, algorithm: str) -> str:
    """Return the left half of an access token's hash (Core 1.0 §3.1.3.6)."""
    digest = hashlib.new(HASHES[algorithm], access_token.encode("utf-8", "replace")).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).decode("ascii").rstrip("=")


def _same(said: object, ours: str) -> bool:
    return isinstance(said, str) and hmac.compare_digest(said.encode("utf-8", "replace"), ours.encode())
