"""How two spellings of a name are the same name."""

import unicodedata


def lowered(email: str) -> str:
    """Return the form under which e-mail addresses are equal: NFC and lower case, which is how they are stored."""
    return unicodedata.normalize("NFC", email.strip().lower())


def fold(name: str) -> str:
    """Return the form under which names are equal: NFC, no case, no surrounding space."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).strip()
