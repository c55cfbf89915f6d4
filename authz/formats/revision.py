"""The `Authz-Revision` and `Authz-At-Least` headers: which revision answered, which is demanded.

3f9c2a51.1042

8 hexadecimal digits name the history: after `manage.py new_epoch`, which belongs to restoring a backup, a revision from
before is refused, not compared; after the dot stands the number of the revision in it.
"""

import re
from typing import Final

FORM: Final = re.compile(r"([0-9a-f]{8})\.([0-9]{1,18})", re.ASCII)


def make(epoch: str, revision: int) -> str:
    """Return the header for a revision."""
    return f"{epoch}.{revision}"


def read(text: str) -> tuple[str, int] | None:
    """Return the epoch and the number, or None if the text is not of the form above."""
    found = FORM.fullmatch(text.strip())
    return (found[1], int(found[2])) if found else None
