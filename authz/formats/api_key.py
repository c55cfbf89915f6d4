"""API keys: readable at the front, checkable before any look-up, and stored only as a hash.

    ghk_7f3k9q2m_Zx0…43 characters…_1A2b3C

    "ghk_"      so that secret scanners and people know what it is
    8 letters   the prefix, unique, shown in lists and logs; not secret
    43          the secret: random digits in base 62, some 255 bits
    6           checksum: CRC-32 of all that stands before the last "_", in base 62, padded with "0"

Stored is the hexadecimal SHA-256 of the whole text. A slow hash would gain nothing: nobody guesses 255 random bits.
"""

import hashlib
import re
import zlib
from typing import Final

MARK: Final = "ghk_"
FORM: Final = re.compile(r"ghk_[a-z2-7]{8}_[A-Za-z0-9]{43}_[0-9A-Za-z]{6}", re.ASCII)
DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SMALL: Final = "abcdefghijklmnopqrstuvwxyz234567"
PREFIX_LENGTH: Final = 8
SECRET_LENGTH: Final = 43


def checksum(text: str) -> str:
    """Return the six characters that guard a key against typing errors and against look-ups of nonsense."""
    number, digits = zlib.crc32(text.encode("ascii")), ""
    while number:
        number, digit = divmod(number, 62)
        digits = DIGITS[digit] + digits
    return digits.rjust(6, "0")


def make(randomness: bytes) -> str:
    """Return a new key from 51 random bytes or more: 8 for the prefix, 43 for the secret."""
    if len(randomness) < PREFIX_LENGTH + SECRET_LENGTH:
        message = "an API key needs 51 random bytes"
        raise ValueError(message)
    prefix = "".join(SMALL[byte % 32] for byte in randomness[:PREFIX_LENGTH])
    # 256 is not a multiple of 62; the bias costs each character a twentieth of a bit, of which there are 255 left.
    secret = "".join(DIGITS[byte % 62] for byte in randomness[PREFIX_LENGTH : PREFIX_LENGTH + SECRET_LENGTH])
    body = f"{MARK}{prefix}_{secret}"
    return f"{body}_{checksum(body)}"


def is_well_formed(text: str) -> bool:
    """Return whether a text has the form of a key and a right checksum."""
    return FORM.fullmatch(text) is not None and checksum(text[:-7]) == text[-6:]


def prefix_of(key: str) -> str:
    """Return the readable part of a well-formed key, such as "ghk_7f3k9q2m"."""
    return key[: len(MARK) + PREFIX_LENGTH]


def digest(key: str) -> str:
    """Return what is stored of a key: hexadecimal SHA-256."""
    return hashlib.sha256(key.encode("ascii")).hexdigest()
