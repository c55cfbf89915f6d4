"""JWK sets (RFC 7517) as administrators paste them and issuers publish them."""

import json
from typing import Any, Final

from authz.errors import InvalidName

PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members of a JWK that only its owner may have (RFC 7518 §6.2.2, §6.3.2, §6.4.1)."""

KINDS: Final = ("RSA", "EC", "OKP")


def parse_jwk_set(text: str) -> dict[str, list[dict[str, Any]]]:
    """Return the public signature keys of a set; InvalidName says what is wrong with it.

    Keys of a kind or use that cannot check a signature are left out, as RFC 7517 §5 wants; secret ones are refused.
    """
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        message = "a JWK set is not JSON"
        raise InvalidName(message) from None
    keys = loaded.get("keys") if isinstance(loaded, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        message = 'a JWK set looks like {"keys": […]}'
        raise InvalidName(message)
    if any(PRIVATE & key.keys() for key in keys):
        message = "a JWK set holds a secret key; paste the public ones only"
        raise InvalidName(message)
    public = [key for key in keys if key.get("kty") in KINDS and key.get("use", "sig") == "sig" and _names_itself(key)]
    if not public:
        message = "a JWK set holds no public key for signatures"
        raise InvalidName(message)
    return {"keys": public}


def _names_itself(key: dict[str, Any]) -> bool:
    """Return whether a key's identifier, if it has one, is a text (RFC 7517 §4.5)."""
    return isinstance(key.get("kid", ""), str)
