r"""How a name travels in an HTTP header without ambiguity.

    name   = each character as it stands if it is printable ASCII and none of  %  ,  ;  |  "  \
             otherwise the bytes of its UTF-8 form, each as %XX
    list   = names joined by ","

"mcp_basic" and "Domain Users" travel unchanged, "R&D, Berlin" as "R&D%2C Berlin", "Ärzte" as "%C3%84rzte". A reader
splits at "," and percent-decodes each item (RFC 3986 §2.1); a name is never mistaken for two, nor two for one.
"""

import re
from typing import Final
from urllib.parse import unquote

UNSAFE: Final = re.compile(r'[^ -~]|[%,;|"\\]')


def encode(name: str) -> str:
    """Return a name in the form above; ASCII, without line breaks, whatever it holds."""
    if UNSAFE.search(name) is None:
        return name
    return UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace")), name)


def decode(text: str) -> str:
    """Return the name that `encode` was given."""
    return unquote(text, errors="strict")


def encode_list(names: list[str], *, separator: str = ",", limit: int = 2048) -> tuple[str, bool]:
    """Return sorted names joined, in at most `limit` characters, and whether some had to be left out."""
    encoded = sorted(encode(name) for name in names)
    joined = separator.join(encoded)
    if len(joined) <= limit:
        return joined, False
    kept, length = [], -len(separator)
    for name in encoded:
        if length + len(separator) + len(name) > limit:
            break
        kept.append(name)
        length += len(separator) + len(name)
    return separator.join(kept), True
