"""How two spellings of a name are the same name.

Putting combining marks in their canonical order takes the square of their number (Unicode Standard, section 3.11), and
a stranger may send a megabyte of them. So nothing is normalised that is longer than a name can be: such a text is
nobody's name, and is compared as it stands, in which form no name is stored.
"""

import unicodedata
from typing import Final, Literal

LONGEST: Final = 1024
"""Characters of the longest text that may be a name: 254 of an e-mail address, each in at most four code points."""

SHOWN: Final = 254
"""Characters of a text that a message repeats."""

Form = Literal["NFC", "NFKC", "NFKD"]


def is_too_long(text: str) -> bool:
    """Tell whether a text is longer than any name in any spelling, so that it is nobody's."""
    return len(text) > LONGEST


def normalized(text: str, form: Form = "NFC") -> str:
    """Return a text in a normal form of Unicode (UAX #15); one that is too long to be a name stays as it is."""
    return text if is_too_long(text) else unicodedata.normalize(form, text)


def compatible(text: str) -> str:
    """Return what each character beyond ASCII stands for under compatibility (NFKC), one at a time; ASCII is left out.

    That takes time in proportion to the text, whatever is in it.
    """
    return "".join(unicodedata.normalize("NFKC", each) for each in text if not each.isascii())


def shown(text: str) -> str:
    """Return a text in quotes for a message: the beginning of it, if it is longer than a name."""
    return repr(text) if len(text) <= SHOWN else f"{text[:SHOWN]!r}… ({len(text)} characters)"


def lowered(email: str) -> str:
    """Return the form under which e-mail addresses are equal: NFC and lower case, which is how they are stored."""
    return email if is_too_long(email) else normalized(email.strip().lower())


def fold(name: str) -> str:
    """Return the form under which names are equal: NFC, no case, no surrounding space."""
    return name if is_too_long(name) else normalized(normalized(name).casefold()).strip()
