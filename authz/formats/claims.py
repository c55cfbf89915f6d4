"""Reads claims whose JSON type an issuer may get wrong: what is neither yes nor no is never taken for a yes.

A boolean is written `true` by most, and "true" by some (Amazon Cognito writes email_verified so). Everything else, `1`
among it, which Python holds equal to true, is no yes; nor is it one that a claim is there and not false.
"""

from collections.abc import Mapping
from typing import Any, Final

ACCESS_TYPES: Final = frozenset({"", "jwt", "at+jwt"})
"""The header typ of tokens that open something: none, JWT (RFC 7519 §5.1), or an access token's (RFC 9068 §2.1)."""


LONGEST_TYPE: Final = 127
"""Characters of a media type's name (RFC 6838 §4.2)."""


def is_true(value: object) -> bool:
    """Tell whether a claim says yes: JSON's true, or the text "true"."""
    return value is True or (isinstance(value, str) and value == "true")


def type_of(header: Mapping[str, Any]) -> str | None:
    """Return the header typ in lower case without "application/" (RFC 7515 §4.1.9); None if it is no text."""
    kind = header.get("typ", "")
    return kind.lower().removeprefix("application/") if isinstance(kind, str) and len(kind) <= LONGEST_TYPE else None


def is_id_token(claims: Mapping[str, Any]) -> bool:
    """Tell whether a token says who signed in, and not what may be opened.

    It says so itself (Cognito's token_use, Keycloak's typ), or holds the hash of what it came with (OpenID Connect Core
    1.0 §3.1.3.6 and §3.3.2.11), which no access token does, or the nonce of a sign-in (§2), and does not say that it is
    an access token (some versions of Keycloak put the nonce into those as well). One that says none of this cannot be
    told apart.
    """
    said = {str(claims.get(name)).lower() for name in ("token_use", "typ")}
    if "id" in said or not {"at_hash", "c_hash"}.isdisjoint(claims):
        return True
    return "nonce" in claims and said.isdisjoint({"access", "bearer", "at+jwt"})
