"""Secrets do not reach the log, and no text costs more than its length."""

import json
import logging
import re

import pytest

from authz.formats import api_key, session_token
from portal.logging import LONGEST, OneLine, scrub
from portal.logging import SECRETS as PATTERN

KEY = api_key.make(bytes(range(64)))
TOKEN = session_token.make(7, bytes(range(32)), key=b"k")
SECRETS = {
    "an API key": (KEY, api_key.prefix_of(KEY), KEY.split("_")[2]),
    "a session cookie": (f"Cookie: gatehouse={TOKEN}", "gatehouse=7", TOKEN.split(".")[1]),
    "a JWT": ("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln", "Bearer eyJ", "eyJzdWIiOiJ4In0"),
    "a JWT with certificates in its header": (f"x%20eyJ{'Q' * 3000}.eyJ{'p' * 2000}.c2ln", "x%20eyJ", "QQQ"),
    "a JWT that was cut in its header": (f"Bearer eyJ{'Q' * 3000}", "Bearer eyJ", "QQQ"),
    "a JWT after a line break": ("token\neyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln", "token\neyJ", "eyJzdWIiOiJ4In0"),
    "a database password": ("postgresql://portal:hunter2@db/portal", "postgresql://portal", "hunter2"),
    "a database password with a colon": ("rediss://:hunter2:b@db/0", "rediss://", "hunter2"),
}


def lined(**said: object) -> str:
    """Return the line of a record that carries this."""
    return OneLine().format(logging.makeLogRecord({"levelname": "INFO", "name": "x", "msg": "seen"} | said))


@pytest.mark.parametrize(("text", "stays", "goes"), SECRETS.values(), ids=SECRETS)
def test_a_secret_is_cut_down_wherever_it_stands(text: str, stays: str, goes: str) -> None:
    """In the message, in what is attached, however deep, and in a traceback."""
    record = logging.makeLogRecord({"msg": f"seen {text}", "levelname": "INFO", "name": "x", "detail": text})
    record.inner = {"list": [{text: (text, {text})}], "object": ValueError(text)}
    try:
        raise ValueError(text)  # noqa: TRY301  to have a traceback
    except ValueError as error:
        record.exc_info = (type(error), error, error.__traceback__)
    line = OneLine().format(record)
    assert goes not in line
    assert stays in json.loads(line)["detail"]


@pytest.mark.parametrize("before", range(LONGEST - 90, LONGEST + 1, 5))
@pytest.mark.parametrize(("text", "goes"), [(text, goes) for text, _, goes in SECRETS.values()], ids=SECRETS)
def test_a_secret_at_the_place_where_a_text_is_cut_is_not_half_told(text: str, goes: str, before: int) -> None:
    """Whichever half of it would be left."""
    line = lined(detail="x " * (before // 2) + text + " " + "y" * LONGEST)
    assert goes[: len(goes) // 2] not in line


def test_a_record_is_one_line_of_json() -> None:
    """Whatever it holds."""
    line = lined(msg="two\nlines", n=1)
    assert "\n" not in line
    assert ("two\nlines", 1, "info") == tuple(json.loads(line)[name] for name in ("event", "n", "level"))


def test_what_is_long_many_or_deep_is_told_in_bounds() -> None:
    """A record holds what a stranger sent."""
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    line = lined(long="x" * 10**7, many=list(range(10**5)), deep=deep)
    assert len(line) < 3 * LONGEST
    assert "cannot be shown" in line
    assert "(10000000 characters)" in json.loads(line)["long"]


SLOW = {
    "the beginnings of addresses": "redis://:",
    "the beginnings of JWTs": "eyJ",
    "JWTs without an end": "eyJ" * 300 + ".",
    "keys without an end": "ghk_abcdefgh_",
    "tokens without an end": "abc.",
    "letters": "a",
}


@pytest.mark.parametrize("piece", SLOW.values(), ids=SLOW)
def test_no_text_costs_more_than_its_length(piece: str) -> None:
    """Ten million characters, on which a search that takes the square of them would practically never end."""
    assert len(scrub(piece * (10**7 // len(piece)))) < LONGEST


def test_no_pattern_is_without_a_bound() -> None:
    """What may be repeated without end is searched again from each of its places; a look ahead to the end is none."""
    unbounded = re.findall(r"(?:\]|\)|\\[a-zA-Z])[*+]|\{\d+,\}", PATTERN.pattern)
    assert ["]*"] == unbounded, "but for the signature at the end of a JWT, after which nothing is looked for"
