"""Reads the JSON body of a request strictly: what two readers could read differently is refused."""

import json
from typing import Any, Final, NoReturn

from django.http import HttpRequest
from scim2_models import InvalidSyntaxException, InvalidValueException, PayloadTooLargeException

SMALL: Final = 256 * 1024
"""Bytes of a body that tells of one person, or of a search."""
LARGE: Final = 8 * 1024**2
"""Bytes of a body that tells of a group: some 40,000 members."""


def read(request: HttpRequest, *, most: int = SMALL) -> dict[str, Any]:
    """Return the object in a body; a SCIMException says what is wrong with it."""
    declared = request.META.get("CONTENT_LENGTH") or "0"
    # Read from the stream: Django's own limit is one for forms, and smaller than a large group.
    raw = request.read(most + 1) if not declared.isdecimal() or int(declared) <= most else b" " * (most + 1)
    if len(raw) > most:
        raise PayloadTooLargeException(detail=f"the body is larger than {most} bytes")
    try:
        found = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise InvalidSyntaxException(detail="the body is not UTF-8") from None
    except RecursionError:
        raise InvalidSyntaxException(detail="the body is nested too deeply") from None
    except ValueError as error:
        raise InvalidSyntaxException(detail=f"the body is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise InvalidSyntaxException(detail="the body is not a JSON object")
    refuse_unstorable(found)
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; one that says something twice, in whatever case, could be read both ways."""
    found: dict[str, Any] = {}
    seen = set()
    for name, value in pairs:
        if name.lower() in seen:
            raise InvalidSyntaxException(detail=f"{name!r} is there twice")
        seen.add(name.lower())
        found[name] = value
    return found


def _no_number(text: str) -> NoReturn:
    message = f"{text} is not a number of JSON"
    raise ValueError(message)


def refuse_unstorable(value: Any, path: str = "") -> None:  # noqa: ANN401  anything that JSON can say
    """Refuse NUL and lone surrogates, which no database takes."""
    if isinstance(value, str):
        if not is_storable(value):
            what = "the character U+0000" if "\0" in value else "half a character"
            raise InvalidValueException(detail=f"{path or 'a text'} holds {what}")
    elif isinstance(value, dict):
        for name, inner in value.items():
            refuse_unstorable(name, "the name of an attribute")
            refuse_unstorable(inner, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            refuse_unstorable(inner, path)


def is_storable(text: str) -> bool:
    """Return whether every database takes a text: not with NUL, nor with half of a surrogate pair."""
    return "\0" not in text and (text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text))
