"""What an API key may be limited to, and what each scope opens.

use              every server its owner may use, and asking who one is
use:<server>     one server, by name
administer       what its owner may administer
groups:check     the group check
groups:read      listing somebody's groups
explain          decisions explained, and searches
connections      who is connected, and an end to it
scim:<source>    provisioning people and groups of one directory, by name
"""

import re
from typing import Final

USE: Final = "use"
ADMINISTER: Final = "administer"
GROUPS_CHECK: Final = "groups:check"
GROUPS_READ: Final = "groups:read"
EXPLAIN: Final = "explain"
CONNECTIONS: Final = "connections"

WHOLE: Final = (USE, ADMINISTER, GROUPS_CHECK, GROUPS_READ, EXPLAIN, CONNECTIONS)
ONE_SERVER: Final = "use:"
SCIM: Final = "scim:"
SOURCE: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
"""The name of a directory."""


def is_scope(text: str) -> bool:
    """Return whether `text` is one of the scopes above."""
    if text.startswith(SCIM):
        return SOURCE.fullmatch(text.removeprefix(SCIM)) is not None
    return text in WHOLE or (text.startswith(ONE_SERVER) and len(text) > len(ONE_SERVER))
