"""How two spellings of a name are the same name."""

import unicodedata


def fold(name: str) -> str:
    """Return the form under which names are equal: NFC, no case, no surrounding space."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).strip()
