"""A secret that we must be able to read again, such as a directory's password: encrypted, and bound to its purpose.

    wrapped = "w1." BASE64URL(nonce || AES-256-GCM(key, nonce, text, purpose))      nonce: 12 random bytes

The key is derived from SECRET_KEY; the purpose, such as "source/corp", is authenticated and not stored, so that what
was wrapped for one thing cannot be read as another's.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from authz.errors import BadCredential

BEGIN: Final = "w1."
NONCE: Final = 12


def wrap(text: str, *, key: bytes, purpose: str) -> str:
    """Return a text encrypted under a key of 32 bytes; an empty one stays empty."""
    if not text:
        return ""
    nonce = secrets.token_bytes(NONCE)
    sealed = nonce + AESGCM(key).encrypt(nonce, text.encode(), purpose.encode())
    return BEGIN + urlsafe_b64encode(sealed).decode("ascii")


def unwrap(wrapped: str, *, key: bytes, purpose: str) -> str:
    """Return the text again; BadCredential if another key or purpose wrapped it, or if it is damaged."""
    if not wrapped:
        return ""
    try:
        sealed = urlsafe_b64decode(wrapped.removeprefix(BEGIN))
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], purpose.encode()).decode()
    except (InvalidTag, ValueError) as error:
        message = "a stored secret cannot be read; SECRET_KEY has changed since, so enter it again"
        raise BadCredential(message) from error
