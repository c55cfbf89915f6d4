"""What came of trying a directory, one step after the other."""

from typing import NamedTuple


class Tried(NamedTuple):
    """One step, whether it went well, and what was found or is wrong."""

    what: str
    fine: bool
    words: str
