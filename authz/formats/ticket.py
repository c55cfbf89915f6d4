"""Tickets: what a browser shows once, in a WebSocket's address, because it cannot set a header there.

    ght_q4Jc…43 characters…

    "ght_"    so that secret scanners and people know what it is
    43        256 random bits in unpadded base64url (RFC 4648 §5)

Stored is the hexadecimal SHA-256 of the whole text. Addresses end up in logs: a ticket is worth nothing once it was
used, or some seconds after it was made.
"""

import hashlib
import re
from base64 import urlsafe_b64encode
from typing import Final

FORM: Final = re.compile(r"ght_[A-Za-z0-9_-]{43}", re.ASCII)


def make(randomness: bytes) -> str:
    """Return a ticket from 32 random bytes."""
    return f"ght_{urlsafe_b64encode(randomness[:32]).decode().rstrip('=')}"


def is_well_formed(text: str) -> bool:
    """Return whether a text could be a ticket of ours."""
    return FORM.fullmatch(text) is not None


def digest(text: str) -> str:
    """Return what is stored of a ticket: hexadecimal SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
