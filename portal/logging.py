"""Writes one JSON line per log record; secrets are scrubbed here and nowhere else.

Each text is cut before it is searched, and each pattern is bounded: no text that a stranger sends costs more than its
length.
"""

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

PLAIN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

LONGEST: Final = 16 * 1024
"""Characters of one text that are searched, and all but MARGIN of them written."""
MARGIN: Final = 1280
"""Characters at the end of a text that was cut which are not written: half of a secret has no form to be known by."""
MOST: Final = 200
"""Values of a list or a mapping that are written."""
DEEPEST: Final = 6

SECRETS: Final = re.compile(
    r"(ghk_[a-z2-7]{8})_[A-Za-z0-9]{1,64}_[0-9A-Za-z]{6}"  # an API key: its prefix stays
    r"|\b([0-9a-f]{1,16})\.[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{22}"  # a session token: its revision stays
    # A JWT, also one that was cut. Only the first eyJ of a word is tried, and nothing is read twice.
    r"|(?<![A-Za-z0-9_-])((?>[A-Za-z0-9_-]{0,16384}?eyJ))"
    r"[A-Za-z0-9_-]{1,16384}+(?:\.[A-Za-z0-9_-]{1,16384}+(?:\.[A-Za-z0-9_-]*)?|\Z)"
    r"|((?:postgres(?:ql)?|redis)s?://[^:/@\s]{0,64}):[^@\s]{1,1024}@"  # a password in a database URL
)


def scrub(text: str) -> str:
    """Return a text with every secret that has a form of its own cut down to what is not secret."""
    if len(text) <= LONGEST:
        return SECRETS.sub(_cut_down, text)
    kept = SECRETS.sub(_cut_down, text[:LONGEST])[:-MARGIN]
    return f"{kept}… ({len(text)} characters)"


def _cut_down(found: re.Match[str]) -> str:
    return f"{next(filter(None, found.groups()))}…"


def _clean(value: Any, depth: int = 0) -> Any:  # noqa: ANN401  whatever somebody logs
    """Return a value for JSON in which every text is scrubbed; what is too much or too deep becomes a text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping) and depth < DEEPEST and len(value) <= MOST:
        return {scrub(str(name)): _clean(each, depth + 1) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < DEEPEST and len(value) <= MOST:
        return [_clean(each, depth + 1) for each in value]
    try:
        return scrub(str(value))
    except Exception:  # noqa: BLE001  whatever its own __str__ does, the record is written
        return f"a {type(value).__name__} that cannot be shown"


class OneLine(logging.Formatter):
    """Formats a record as one line of JSON: at, level, event, and whatever else it carries."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        said = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        said.update((name, value) for name, value in vars(record).items() if name not in PLAIN)
        if record.exc_info:
            said["trace"] = self.formatException(record.exc_info)
        return json.dumps(_clean(said), ensure_ascii=False)
