"""E-mail addresses as the names of people: one spelling each, and nothing that two readers could read differently.

The stored form is NFC, the local part and the domain in lower case, the domain in its Unicode form (RFC 6531 allows
Unicode in both; RFC 5321 §2.4 leaves the case of a local part to its host, and no host in use minds it). Refused are
quoted local parts, comments, address literals, control characters, several "@", a trailing dot, and letters that only
look like others under compatibility normalisation (NFKC), such as full-width ones.
"""

import unicodedata
from typing import Final

from email_validator import EmailNotValidError, validate_email

from authz.errors import InvalidName

MOST: Final = 254
"""Characters an address may have (RFC 5321 §4.5.3.1.3, less the angle brackets)."""


def parse_email(text: str) -> str:
    """Return the one stored spelling of an address; InvalidName says what is wrong with it."""
    stripped = text.strip()
    if not stripped:
        message = "an e-mail address is empty"
        raise InvalidName(message)
    if len(stripped) > MOST:
        message = f"an e-mail address has {len(stripped)} characters; at most {MOST} are allowed"
        raise InvalidName(message)
    if unicodedata.normalize("NFKC", stripped) != unicodedata.normalize("NFC", stripped):
        message = f"{stripped!r} has letters that merely look like others"
        raise InvalidName(message)
    try:
        checked = validate_email(
            stripped,
            allow_smtputf8=True,
            allow_empty_local=False,
            allow_quoted_local=False,
            allow_domain_literal=False,
            check_deliverability=False,
            globally_deliverable=False,
        )
    except EmailNotValidError as error:
        message = f"{stripped!r} is not an e-mail address: {error}"
        raise InvalidName(message) from None
    return unicodedata.normalize("NFC", checked.normalized.casefold())


def find_email(text: str) -> str:
    """Return the spelling under which to look somebody up; cheap, never fails, and finds nothing for a bad one."""
    if text.isascii():
        return text.strip().lower()
    return unicodedata.normalize("NFC", text.strip().casefold())
