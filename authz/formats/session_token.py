"""The session cookie: a random secret that knows how new it is.

    1a2f.q4Jc…43 characters….Xw3…22 characters…

    revision    hexadecimal: the revision at which the session began
    secret      256 random bits in unpadded base64url (RFC 4648 §5)
    seal        the first 128 bits of HMAC-SHA-256(key, "session:" revision "." secret), in unpadded base64url

Stored is the hexadecimal SHA-256 of the whole text. The seal admits nobody: only the look-up of the hash does. It lets
a process that does not know a session yet tell a brand-new one (whose revision it has not seen: look again) from
nonsense (refuse at once), so that a first request right after sign-in is never refused and nonsense costs no query.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from typing import Final

FORM: Final = re.compile(r"([0-9a-f]{1,16})\.[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{22}", re.ASCII)


def _seal(body: str, key: bytes) -> str:
    return urlsafe_b64encode(hmac.digest(key, b"session:" + body.encode(), "sha256")[:16]).decode().rstrip("=")


def make(revision: int, randomness: bytes, *, key: bytes) -> str:
    """Return the cookie of a session that begins at `revision`, from 32 random bytes."""
    body = f"{revision:x}.{urlsafe_b64encode(randomness[:32]).decode().rstrip('=')}"
    return f"{body}.{_seal(body, key)}"


def revision_of(token: str, *, key: bytes) -> int | None:
    """Return the revision at which a sealed token began; None if we did not make it."""
    if (found := FORM.fullmatch(token)) is None:
        return None
    body, _, seal = token.rpartition(".")
    return int(found[1], 16) if hmac.compare_digest(seal, _seal(body, key)) else None


def digest(token: str) -> str:
    """Return what is stored of a session token: hexadecimal SHA-256."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
