"""Reads back what a line of a spool says."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from audit.events import DecisionMade
from audit.spool import MOST_AGAIN

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXTS = ("id", "effect", "rule", "code", "person", "credential", "action", "target", "address", "url", "dialect")
_FIELDS = {*_TEXTS, "tool", "at", "revision"}
_AGAIN = {"id", "at", "again"}
_LARGEST = 2**63 - 1  # what a column can hold
LONGEST_NUMBER = 18
"""Digits; no process makes as many decisions."""

Made = tuple[datetime, DecisionMade]
Earlier = Callable[[int], DecisionMade]
"""Given a position in the same file, returns the decision that is told there, or raises NotADecision."""


class NotADecision(ValueError):
    """A line says something else than a decision, or nothing, or not only decisions."""

    def __init__(self, problem: str, made: Sequence[Made] = ()) -> None:
        """Keep those of its decisions that can be read."""
        super().__init__(problem)
        self.made = made


def parse(line: bytes, earlier: Earlier) -> list[Made]:
    """Return the moment and the decision, or those that the line names, or raise NotADecision.

    A line has exactly the fields told in spool.py, of their types; one that names decisions names such lines.
    """
    said = _object(line)
    return _named(said, earlier) if said.keys() == _AGAIN else [_told(said)]


def told(line: bytes) -> DecisionMade:
    """Return the decision that a line tells, or raise NotADecision."""
    return _told(_object(line))[1]


def _object(line: bytes) -> dict[str, Any]:
    if not line.endswith(b"\n"):
        raise NotADecision("it has no end")
    try:
        said = json.loads(line.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise NotADecision("it is not JSON in ASCII") from error
    if not isinstance(said, dict):
        raise NotADecision("it does not have the fields of a decision")
    return said


def _told(said: dict[str, Any]) -> Made:
    if said.keys() != _FIELDS:
        raise NotADecision("it does not have the fields of a decision")
    at, revision, tool = _moment(said.pop("at")), said["revision"], said["tool"]
    if not all(isinstance(said[name], str) for name in _TEXTS) or not (tool is None or isinstance(tool, str)):
        raise NotADecision("a text is not a text")
    if type(revision) is not int or not 0 <= revision <= _LARGEST:
        raise NotADecision("a number is not a number")
    return at, DecisionMade(**said)


def _named(said: dict[str, Any], earlier: Earlier) -> list[Made]:
    """Return decisions that were told before, as they are made again: with numbers and a moment of their own."""
    at, named = _moment(said["at"]), said["again"]
    file, _, number = said["id"].rpartition("-") if isinstance(said["id"], str) else ("", "", "")
    if not number.isascii() or not number.isdecimal() or len(number) > LONGEST_NUMBER:
        raise NotADecision("a number is not a number")
    if not isinstance(named, list) or not 0 < len(named) <= MOST_AGAIN:
        raise NotADecision("what it names is not a list of decisions")
    made, problem = [], ""
    for count, place in enumerate(named, int(number)):
        try:
            made.append((at, replace(_at(place, file, earlier), id=f"{file}-{count}")))
        except NotADecision as error:
            problem = problem or str(error)
    if problem:
        raise NotADecision(problem, made)
    return made


def _at(place: object, file: str, earlier: Earlier) -> DecisionMade:
    if not isinstance(place, list) or [type(each) for each in place] != [int, int] or place[0] < 0:
        raise NotADecision("what it names is no place")
    decision = earlier(place[0])
    if decision.id != f"{file}-{place[1]}":
        # Somebody changed the file under its writer: another decision must not be taken for the one that was made.
        raise NotADecision("another decision stands where it names one")
    return decision


def _moment(at: object) -> datetime:
    if type(at) is not int:
        raise NotADecision("a number is not a number")
    try:
        return _EPOCH + timedelta(microseconds=at)
    except OverflowError as error:
        raise NotADecision("its moment is not in any calendar") from error
