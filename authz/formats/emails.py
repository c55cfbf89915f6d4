"""E-mail addresses as the names of people: one spelling each, and nothing that two readers could read differently.

The stored form is NFC, the local part and the domain in lower case, the domain in its Unicode form (RFC 6531 allows
Unicode in both; RFC 5321 §2.4 leaves the case of a local part to its host, and no host in use minds it). Refused are
quoted local parts, comments, address literals, control characters, several "@", a trailing dot, and letters that only
look like others: under compatibility normalisation (NFKC), as full-width ones and the long s do, or because they
become ASCII in lower case, as the Kelvin sign does. Case folding would go further and make "ss" of "ß", in one mailbox
the name of another; so letters are put in lower case and not folded.
"""

from typing import Final

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from authz.decisions.names import is_too_long, lowered, normalized
from authz.errors import InvalidName

# Of the names that are nobody's on the internet (RFC 6761), these are what networks of one's own are called.
SPECIAL_USE_DOMAIN_NAMES[:] = [each for each in SPECIAL_USE_DOMAIN_NAMES if each not in {"local", "test"}]

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
    if not stripped.isascii() and _looks_like_another(stripped):
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
    stored = lowered(checked.normalized)
    if stored.isascii() and not stripped.isascii():
        message = f"{stripped!r} has letters that merely look like others"
        raise InvalidName(message)
    return stored


def find_email(text: str) -> str:
    """Return the spelling under which to look somebody up; cheap, never fails, and finds nothing for a bad one."""
    if is_too_long(text):
        return text
    if text.isascii():
        return text.strip().lower()
    # Left as it is, a text that only looks like an address equals no stored one.
    return text if _looks_like_another(text) else lowered(text)


def _looks_like_another(text: str) -> bool:
    if normalized(text, "NFKC") != normalized(text):
        return True
    return any(not each.isascii() and normalized(each).lower().isascii() for each in text)
