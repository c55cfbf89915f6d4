"""Writes one JSON line per log record; secrets are scrubbed here and nowhere else."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Final

PLAIN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
SECRETS: Final = re.compile(
    r"(ghk_[a-z2-7]{8})_[A-Za-z0-9]+_[0-9A-Za-z]{6}"  # an API key: its prefix stays
    r"|\b([0-9a-f]{1,16})\.[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{22}"  # a session token: its revision stays
    r"|(eyJ)[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"  # a JWT
    r"|((?:postgres(?:ql)?|redis)s?://[^:/@\s]*):[^@\s]+@"  # a password in a database URL
)


def scrub(text: str) -> str:
    """Return a text with every secret that has a form of its own cut down to what is not secret."""
    return SECRETS.sub(lambda found: f"{next(filter(None, found.groups()))}…", text)


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
        return scrub(json.dumps(said, default=str, ensure_ascii=False))
