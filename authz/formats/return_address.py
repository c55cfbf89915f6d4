"""Where to go back to after signing in: a URL that only we could have written, for a limited time.

    rd = base64url(url) "." expiry "." seal

    expiry      seconds since the epoch, decimal
    seal        HMAC-SHA-256(key, "return:" base64url(url) "." expiry) in unpadded base64url

The login page follows an `rd` with a good seal and nothing else, so there is no list of hosts to get wrong.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _seal(body: str, key: bytes) -> str:
    return _encoded(hmac.digest(key, b"return:" + body.encode("ascii"), "sha256"))


def make(url: str, *, key: bytes, expires: int) -> str:
    """Return the `rd` parameter for a URL."""
    body = f"{_encoded(url.encode())}.{expires}"
    return f"{body}.{_seal(body, key)}"


def read(rd: str, *, key: bytes, now: float) -> str | None:
    """Return the URL that `make` sealed; None if the seal is not ours or has expired."""
    body, _, seal = rd.rpartition(".")
    address, _, expires = body.rpartition(".")
    if not rd.isascii() or not hmac.compare_digest(seal, _seal(body, key)):
        return None
    if not expires.isdigit() or now >= int(expires):
        return None
    return urlsafe_b64decode(address + "=" * (-len(address) % 4)).decode()
