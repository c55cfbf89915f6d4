"""Secrets do not reach the log."""

import json
import logging

import pytest

from authz.formats import api_key, session_token
from portal.logging import OneLine

KEY = api_key.make(bytes(range(64)))
TOKEN = session_token.make(7, bytes(range(32)), key=b"k")
SECRETS = {
    "an API key": (KEY, api_key.prefix_of(KEY), KEY.split("_")[2]),
    "a session cookie": (f"Cookie: gatehouse={TOKEN}", "gatehouse=7", TOKEN.split(".")[1]),
    "a JWT": ("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln", "Bearer eyJ", "eyJzdWIiOiJ4In0"),
    "a database password": ("postgresql://portal:hunter2@db/portal", "postgresql://portal", "hunter2"),
}


@pytest.mark.parametrize(("text", "stays", "goes"), SECRETS.values(), ids=SECRETS)
def test_a_secret_is_cut_down_wherever_it_stands(text: str, stays: str, goes: str) -> None:
    """In the message, in what is attached, and in a traceback."""
    record = logging.makeLogRecord({"msg": f"seen {text}", "levelname": "INFO", "name": "x", "detail": text})
    try:
        raise ValueError(text)  # noqa: TRY301  to have a traceback
    except ValueError as error:
        record.exc_info = (type(error), error, error.__traceback__)
    line = OneLine().format(record)
    assert goes not in line
    assert stays in json.loads(line)["detail"]


def test_a_record_is_one_line_of_json() -> None:
    """Whatever it holds."""
    line = OneLine().format(logging.makeLogRecord({"msg": "two\nlines", "levelname": "INFO", "name": "x", "n": 1}))
    assert "\n" not in line
    assert ("two\nlines", 1, "info") == tuple(json.loads(line)[name] for name in ("event", "n", "level"))
