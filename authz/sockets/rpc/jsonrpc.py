"""JSON-RPC 2.0 (https://www.jsonrpc.org/specification), read strictly: one text comes in, at most one goes out.

    --> {"jsonrpc": "2.0", "id": 7, "method": "groups.check", "params": ["alice@example.com", "engineering"]}
    <-- {"jsonrpc": "2.0", "id": 7, "result": {"is_member": true, "revision": "3f9c2a51.1042"}}
    <-- {"jsonrpc": "2.0", "id": 7, "error": {"code": -32001, "message": "…", "data": {"error": "not-allowed"}}}

    -32700  the text is not JSON (NaN, Infinity, numbers without end and nesting without end are none)
    -32600  it is not a request: a member is missing, unknown, twice there or of another kind, or the batch is empty
    -32601  there is no such method
    -32602  there is one, and it takes other parameters
    -32603  we failed
    -32001 … -32099  see SERVER_ERRORS; `data.error` is the word that authz.problems has for it

An id is a text, a whole number or null, and comes back as it was sent; null stands for one that could not be read. A
request without an id is a notification: it is never answered, whatever becomes of it.
"""

import json
import logging
import math
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from authz.errors import (
    AuthzError,
    BadCredential,
    BadRequest,
    Behind,
    Conflict,
    InvalidName,
    NoSuchThing,
    NotAllowed,
    Unavailable,
)
from authz.problems import status_and_code

log = logging.getLogger(__name__)

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
UNAVAILABLE: Final = -32003
TOO_LARGE: Final = -32006
"""The answer would be larger than a message may be."""

SERVER_ERRORS: Final[dict[type[AuthzError], int]] = {
    BadRequest: INVALID_PARAMS,
    InvalidName: INVALID_PARAMS,
    NotAllowed: -32001,
    BadCredential: -32002,
    Unavailable: UNAVAILABLE,
    Behind: UNAVAILABLE,
    NoSuchThing: -32004,
    Conflict: -32005,
}
"""The one table from errors of the domain to codes of JSON-RPC; one that nobody listed is a failure of ours."""

MOST_IN_A_BATCH: Final = 100
MEMBERS: Final = frozenset({"jsonrpc", "method", "params", "id"})

Params = list[Any] | dict[str, Any]
Id = str | int | None


class Wrong(Exception):
    """A request has one of the errors that JSON-RPC itself knows."""

    def __init__(self, code: int, message: str) -> None:
        """Keep the code and a sentence for whoever programmed the client."""
        self.code = code
        super().__init__(message)


class Request(NamedTuple):
    """What is asked; `silent` if it is a notification."""

    method: str
    params: Params
    id: Id
    silent: bool


class Message(NamedTuple):
    """What came in one text: requests, and in the place of those that are none the answer that says so."""

    parts: tuple[Request | str, ...]
    batch: bool


class _Twice(Exception):
    """A name comes twice in an object, so that two readers could read it differently (RFC 8259 §4)."""


Call = Callable[[str, Params], Any]


def answer(text: str | bytes, call: Call) -> str | None:
    """Return the answer to a text, or None if there is none to give; it never raises.

    `call` is given a method and its parameters and returns what JSON can say, or raises Wrong or an error of the
    domain; anything else that it raises is logged, and told as an internal error.
    """
    message = read(text)
    return joined(message, [part if isinstance(part, str) else outcome(part, call) for part in message.parts])


def read(text: str | bytes) -> Message:
    """Return what a text (UTF-8, if it is bytes) asks for; it never raises."""
    try:
        value = json.loads(
            text if isinstance(text, str) else text.decode(),
            object_pairs_hook=_members,
            parse_constant=_refuse,
            parse_float=_finite,
        )
    except _Twice as error:
        return _refused(INVALID_REQUEST, f"{str(error)!r} comes twice in one object.")
    except (ValueError, RecursionError):
        return _refused(PARSE_ERROR, "This is not JSON.")
    if not isinstance(value, list):
        return Message((_read_one(value),), batch=False)
    if not value:
        return _refused(INVALID_REQUEST, "A batch cannot be empty.")
    if len(value) > MOST_IN_A_BATCH:
        return _refused(INVALID_REQUEST, f"A batch holds at most {MOST_IN_A_BATCH} requests.")
    return Message(tuple(_read_one(each) for each in value), batch=True)


def outcome(request: Request, call: Call) -> str | None:
    """Return the answer to one request, None to a notification; it never raises."""
    try:
        said = _dumped({"jsonrpc": "2.0", "id": request.id, "result": call(request.method, request.params)})
    except Wrong as error:
        said = refusal(request.id, error.code, str(error))
    except AuthzError as error:
        code = next((code for kind, code in SERVER_ERRORS.items() if isinstance(error, kind)), UNAVAILABLE)
        said = refusal(request.id, code, str(error), error=status_and_code(error)[1])
    except Exception:
        log.exception("jsonrpc.failed", extra={"method": request.method[:100]})
        said = refusal(request.id, INTERNAL_ERROR, "This failed, and it is not your fault.")
    return None if request.silent else said


def joined(message: Message, answers: Iterable[str | None]) -> str | None:
    """Return the answers to the parts of a message as one text; None if no part has one."""
    said = [each for each in answers if each is not None]
    if not said:
        return None
    return f"[{','.join(said)}]" if message.batch else said[0]


def refusal(number: Id, code: int, message: str, **data: str) -> str:
    """Return an error; `data` says more of it."""
    error: dict[str, Any] = {"code": code, "message": message}
    return _dumped({"jsonrpc": "2.0", "id": number, "error": error | ({"data": data} if data else {})})


def result(number: Id, value: object) -> str:
    """Return an answer without an error."""
    return _dumped({"jsonrpc": "2.0", "id": number, "result": value})


def notification(method: str, params: dict[str, Any]) -> str:
    """Return what is told without having been asked."""
    return _dumped({"jsonrpc": "2.0", "method": method, "params": params})


def _dumped(value: object) -> str:
    """Return JSON in ASCII on one line; what JSON cannot say is a ValueError or a TypeError."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _refused(code: int, message: str) -> Message:
    return Message((refusal(None, code, message),), batch=False)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        raise _Twice(next(name for name, _ in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]  # add has none
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON (RFC 8259 §6)")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("this number is too large")
    return number


def _read_one(value: object) -> Request | str:
    """Return a request, or the answer that says why it is none."""
    if not isinstance(value, dict):
        return refusal(None, INVALID_REQUEST, "A request is an object.")
    number = value.get("id")
    if isinstance(number, bool) or not isinstance(number, str | int | None):
        return refusal(None, INVALID_REQUEST, "An id is a text, a whole number or null.")
    if problem := _problem(value):
        return refusal(number, INVALID_REQUEST, problem)
    return Request(value["method"], value.get("params", {}), number, "id" not in value)


def _problem(value: dict[str, Any]) -> str:
    if unknown := sorted(value.keys() - MEMBERS):
        return f"A request has no member {unknown[0][:100]!r}."
    if value.get("jsonrpc") != "2.0":
        return 'The member jsonrpc must be "2.0".'
    if not isinstance(value.get("method"), str):
        return "The member method must be a text."
    if not isinstance(value.get("params", {}), list | dict):
        return "The member params must be an array or an object."
    return ""
