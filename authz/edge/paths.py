"""Which path is answered by what: the whole surface of the edge role."""

import json
from functools import partial
from typing import Any, Final, Protocol

from authz.edge import envoy, forward_auth, nginx
from authz.edge.answers import Answer
from authz.edge.assertion import public_keys
from authz.edge.group_check import JSON, check
from authz.edge.recording import Record, record
from authz.edge.request import Request
from authz.edge.validate import validate
from authz.errors import Unavailable
from authz.lookups.current import CURRENT, current_world


class Judge(Protocol):
    """Answers requests for a path."""

    def __call__(self, request: Request, *, settled: bool = ..., record: Record = ...) -> Answer:
        """Return an Answer, or raise Unsettled, but not if it is `settled`.

        Each decision in the answer is given to `record` first; unless that writes at once, the answer has to wait.
        """


def _group_check(request: Request, *, settled: bool = False, record: Record = record) -> Answer:
    if request.method != "POST":
        return Answer(405, JSON, b"Allow: POST\r\n", b'{"error": "method-not-allowed", "detail": "use POST"}')
    return check(request, settled=settled, record=record)


def _jwks(request: Request, **_how: Any) -> Answer:  # noqa: ANN401, ARG001  every judge is told
    try:
        keys = public_keys()
    except Unavailable as error:
        return Answer(503, JSON, b"", json.dumps({"error": "unavailable", "detail": str(error)}).encode())
    return Answer(200, b"Content-Type: application/jwk-set+json\r\nCache-Control: max-age=300\r\n", b"", keys)


def _live(request: Request, **_how: Any) -> Answer:  # noqa: ANN401, ARG001  every judge is told
    return Answer(200, JSON, b"", b'{"live": true}')


def _ready(request: Request, **_how: Any) -> Answer:  # noqa: ANN401, ARG001  every judge is told
    """Say whether this process can decide, and by which revision."""
    try:
        world = current_world()
    except Unavailable as error:
        return Answer(503, JSON, b"Retry-After: 1\r\n", json.dumps({"ready": False, "detail": str(error)}).encode())
    return Answer(200, JSON, b"", json.dumps({"ready": CURRENT.kept, "revision": world.revision}).encode())


_nginx: Final[Judge] = partial(validate, read=nginx.read, dialect="nginx")
_forward: Final[Judge] = partial(validate, read=forward_auth.read, dialect="forward-auth")
_envoy: Final[Judge] = partial(validate, read=envoy.read, dialect="envoy")

EXACT: Final[dict[str, Judge]] = {
    "/auth/validate": _nginx,
    "/auth/validate/nginx": _nginx,
    "/validate": _nginx,
    "/auth": _nginx,
    "/auth/validate/forward": _forward,
    "/api/v1/groups/check": _group_check,
    "/api/check-group": _group_check,
    "/.well-known/gatehouse/jwks.json": _jwks,
    "/livez": _live,
    "/readyz": _ready,
}


def judge_of(target: str) -> Judge | None:
    """Return what answers a request target (RFC 9112 §3.2.1, origin form), or None if that is not the edge's."""
    path = target.partition("?")[0]
    if (found := EXACT.get(path)) is not None:
        return found
    return _envoy if path.startswith(envoy.PREFIX + "/") else None
