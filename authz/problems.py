"""The one table from errors of the domain to answers of HTTP."""

from typing import Final

from authz.errors import (
    AuthzError,
    BadCredential,
    BadRequest,
    Behind,
    Conflict,
    Denied,
    InvalidName,
    NoSuchThing,
    NotAllowed,
    Unavailable,
)

PROBLEMS: Final[dict[type[AuthzError], tuple[int, str]]] = {
    BadRequest: (400, "bad-request"),
    InvalidName: (400, "invalid-name"),
    BadCredential: (401, "bad-credential"),
    NotAllowed: (403, "not-allowed"),
    NoSuchThing: (404, "no-such-thing"),
    Conflict: (409, "conflict"),
    Behind: (503, "behind"),
    Unavailable: (503, "unavailable"),
}
CHALLENGE: Final = 'Bearer realm="gatehouse"'


def status_and_code(error: AuthzError) -> tuple[int, str]:
    """Return the status and the stable word for an error; one that nobody listed is a failure of ours."""
    if isinstance(error, Denied):
        return PROBLEMS[NotAllowed][0], error.code
    return next((found for kind, found in PROBLEMS.items() if isinstance(error, kind)), (503, "unavailable"))


def extra_headers(status: int) -> dict[str, str]:
    """Return the headers that go with a status (RFC 6750 §3 for 401, RFC 9110 §10.2.3 for 503)."""
    return {401: {"WWW-Authenticate": CHALLENGE}, 503: {"Retry-After": "1"}}.get(status, {})
