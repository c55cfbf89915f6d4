"""Tells an error to a provisioning client, in the words of RFC 7644 §3.12."""

import json
from typing import Any, Final

from django.http import HttpResponse
from pydantic import ValidationError
from scim2_models import Error, SCIMException

from authz.errors import AuthzError, BadRequest, ImplausiblePlan, InvalidName
from authz.problems import extra_headers, status_and_code

CONTENT: Final = "application/scim+json"
WAIT: Final = 300
"""Seconds after which a client may try again what waits for a person's approval."""
TOLD: Final = 5
"""Errors of one body that are told at once."""
KEYWORDS: Final[dict[type[AuthzError], str]] = {InvalidName: "invalidValue", BadRequest: "invalidSyntax"}


class MethodNotAllowed(SCIMException):
    """An address is asked by a method that it does not answer."""

    status = 405


class Failed(SCIMException):
    """Something went wrong that is nobody's fault but ours."""

    status = 500


def answer(body: dict[str, Any] | None, *, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """Return an answer in the media type of SCIM; no body for None."""
    text = "" if body is None else json.dumps(body, ensure_ascii=False)
    # An error may quote half a character that somebody sent.
    return HttpResponse(text.encode("utf-8", "replace"), status=status, content_type=CONTENT, headers=headers)


def told(error: AuthzError | SCIMException | ValidationError) -> HttpResponse:
    """Return the answer that says what is wrong."""
    if isinstance(error, ImplausiblePlan):
        detail = f"this waits for approval by an administrator, and nothing was changed: {error}"
        return _error(503, "", detail, {"Retry-After": str(WAIT)})
    if isinstance(error, AuthzError):
        status, _ = status_and_code(error)
        keyword = next((word for kind, word in KEYWORDS.items() if isinstance(error, kind)), "")
        return _error(status, keyword, str(error), extra_headers(status))
    if isinstance(error, SCIMException) and isinstance(error.__cause__, ValidationError):
        error = error.__cause__
    if isinstance(error, ValidationError):
        found = Error.from_validation_errors(error)
        detail = "; ".join((each.detail or "").removeprefix("Value error, ") for each in found[:TOLD])
        return _error(found[0].status or 400, found[0].scim_type or "", detail)
    return _error(error.status, error.scim_type, error.detail if str(error) == "" else str(error))


def _error(status: int, keyword: str, detail: str, headers: dict[str, str] | None = None) -> HttpResponse:
    return answer(
        Error(status=status, scim_type=keyword or None, detail=detail).model_dump(), status=status, headers=headers
    )
