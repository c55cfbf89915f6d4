"""Reads back what a line of a spool says."""

import json
from datetime import UTC, datetime, timedelta

from audit.events import DecisionMade

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXTS = ("id", "effect", "rule", "code", "person", "credential", "action", "target", "address", "url", "dialect")
_FIELDS = {*_TEXTS, "tool", "at", "revision"}
_LARGEST = 2**63 - 1  # what a column can hold


class NotADecision(ValueError):
    """A line says something else than a decision, or nothing."""


def parse(line: bytes) -> tuple[datetime, DecisionMade]:
    """Return the moment and the decision, or raise NotADecision: exactly the fields of spool.py, of their types."""
    if not line.endswith(b"\n"):
        raise NotADecision("it has no end")
    try:
        said = json.loads(line.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise NotADecision("it is not JSON in ASCII") from error
    if not isinstance(said, dict) or said.keys() != _FIELDS:
        raise NotADecision("it does not have the fields of a decision")
    at, revision, tool = said.pop("at"), said["revision"], said["tool"]
    if not all(isinstance(said[name], str) for name in _TEXTS) or not (tool is None or isinstance(tool, str)):
        raise NotADecision("a text is not a text")
    if type(at) is not int or type(revision) is not int or not 0 <= revision <= _LARGEST:
        raise NotADecision("a number is not a number")
    try:
        return _EPOCH + timedelta(microseconds=at), DecisionMade(**said)
    except OverflowError as error:
        raise NotADecision("its moment is not in any calendar") from error
