"""Names of groups, servers and tools: nearly anything a directory holds, in one spelling.

A name is NFC, has 1 to 200 characters, no space at its ends, and no control, unassigned, surrogate, line-separating or
direction-changing character. Commas, semicolons, quotes and any script are allowed; `header.py` says how they travel.
Two names are the same name if `fold` makes them equal: case and surrounding space do not matter.
"""

import unicodedata
from typing import Final

from authz.decisions.names import fold, normalized
from authz.errors import InvalidName

MOST: Final = 200
REFUSED: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})
JOINERS: Final = frozenset("\u200c\u200d")
"""Zero-width joiners are of category Cf, but Persian, Hindi and others are not written without them."""

__all__ = ["MOST", "fold", "parse_label"]


def parse_label(text: str, *, what: str = "name") -> str:
    """Return the stored spelling of a name; InvalidName says which character is refused and why."""
    name = normalized(text).strip()
    if not name:
        message = f"a {what} is empty"
        raise InvalidName(message)
    if len(name) > MOST:  # also what was too long to be normalised, unless it was nothing but space
        message = f"a {what} has {len(name)} characters; at most {MOST} are allowed"
        raise InvalidName(message)
    for character in name:
        if unicodedata.category(character) in REFUSED and character not in JOINERS:
            message = f"a {what} holds the character U+{ord(character):04X}, which cannot be shown"
            raise InvalidName(message)
    return name
