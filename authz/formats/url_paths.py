r"""The path of a URL (RFC 3986 §3.3) in its one meaning; what two readers could read differently is refused.

One reader for all who judge or carry a path: the edge, and the relay of WebSockets. Besides what the RFC allows,
clients send [ ] ^ | { } and " as they are, and nginx, Node.js and uvicorn hand them on and take them for themselves; so
do we. A backslash, < > ` and white space are refused: some take the first for "/", and nobody sends the others.
"""

import re
import unicodedata
from typing import Final
from urllib.parse import unquote_to_bytes

from authz.decisions.names import compatible
from authz.errors import UnreadableUrl

WRITTEN: Final = re.compile(r"/[A-Za-z0-9._~!$&'()*+,=:@%/|^{}\"\[\];-]*", re.ASCII)
DOTS: Final = re.compile(r"(?:/\.|\.\.)(?:/|\Z)")
"""A segment "." or one that ends in "..": a proxy that strips "/api" from "/api../x" makes "../x" of it."""
BROKEN: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
HIDDEN: Final = re.compile(r"%(2[fF]|5[cC]|23|3[fF]|25|2[eE]|3[bB]|[01][0-9A-Fa-f]|7[fF])")
r"""Encodings of / \ # ? % . ; and of control characters."""
DELIMITERS: Final = frozenset("/\\#?%.;")
BEST_FIT: Final = frozenset("\u2044\u2215\u2216\u00a5\u20a9\u29f5\u29f8\u29f9\u1735")
"""What conversions to an older character set make "/" or "\\" of (code pages 1252, 932, 949), or what looks like it."""
FILLERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u3164\uffa0")
"""Characters that are not shown, beside those of the category Cf and the variation selectors (UAX #44)."""


def read_path(path: str) -> str:
    """Return a path decoded; UnreadableUrl if it could mean several things."""
    if WRITTEN.fullmatch(path) is None:
        message = "The URL is malformed."
        raise UnreadableUrl(message)
    if "//" in path or ";" in path or DOTS.search(path):
        message = "The URL's path is ambiguous."
        raise UnreadableUrl(message)
    if "%" not in path:
        return path
    if BROKEN.search(path) or HIDDEN.search(path):
        message = "The URL's path hides a character."
        raise UnreadableUrl(message)
    try:
        decoded = unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        message = "The URL's path is not UTF-8."
        raise UnreadableUrl(message) from None
    if not decoded.isascii() and (hides_a_delimiter(decoded) or any("\x7f" <= each <= "\x9f" for each in decoded)):
        message = "The URL's path hides a character."
        raise UnreadableUrl(message)
    return decoded


def hides_a_delimiter(text: str) -> bool:
    """Tell whether somebody could make a delimiter of a character, or dots of a segment that shows none.

    Some servers fold full-width dots and slashes into plain ones, or leave out what is not shown, and only then split
    or look for "..".
    """
    others = {each for each in text if not each.isascii()}
    if not others.isdisjoint(BEST_FIT) or not DELIMITERS.isdisjoint(compatible("".join(others))):
        return True
    unseen = {each for each in others if _is_unseen(each)}
    if not unseen:
        return False
    bare = "".join(each for each in text if each not in unseen)
    return "//" in bare or DOTS.search(bare) is not None


def _is_unseen(character: str) -> bool:
    return (
        character in FILLERS
        or unicodedata.category(character) == "Cf"
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0000" <= character <= "\U000e0fff"
    )
