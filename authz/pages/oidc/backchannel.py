"""Where a provider tells which sessions it has ended (OpenID Connect Back-Channel Logout 1.0 §2.5 to §2.8)."""

import logging
import time
from datetime import UTC, datetime
from urllib.parse import parse_qs

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from audit.context import Actor
from authz.changes import provider_sessions
from authz.directory.oidc import logout_token
from authz.directory.oidc.provider import named, provider_of
from authz.errors import AuthzError, BadRequest, DirectoryFailed

log = logging.getLogger(__name__)

LARGEST = 128 * 1024
"""Bytes of the body; the token alone is limited further."""


@csrf_exempt  # the provider has no cookie of ours: the token's signature says who asks
@require_POST
def logout(request: HttpRequest, name: str) -> JsonResponse:
    """End the sessions that a logout token names, and no others; 400 says what is wrong with it (§2.8)."""
    try:
        source = named(name)
        said = logout_token.verified(_token(request), provider_of(source), at=time.time())
        ended = provider_sessions.end_named(
            source,
            subject=said.subject,
            sid=said.sid,
            token=said.name,
            until=datetime.fromtimestamp(said.until, UTC),
            by=Actor.service(str(source), address=request.META.get("REMOTE_ADDR", "")),
        )
        if ended is None:
            message = "this logout token was used already"
            raise BadRequest(message)
    except AuthzError as error:
        log.warning("oidc.logout_refused", extra={"directory": name, "error": str(error)})
        # Why we cannot check it now names addresses inside, or what is wrong here, and is for the log.
        words = "this cannot be checked now" if isinstance(error, DirectoryFailed) else str(error)
        answer = JsonResponse({"error": "invalid_request", "error_description": words}, status=400)
    else:
        log.info("oidc.logged_out", extra={"directory": name, "sessions": ended})
        answer = JsonResponse({}, status=200)
    answer["Cache-Control"] = "no-store"  # in these words (§2.8)
    return answer


def _token(request: HttpRequest) -> str:
    """Return the one parameter of the form (§2.5)."""
    if request.content_type != "application/x-www-form-urlencoded":
        message = "the body is not a form"
        raise BadRequest(message)
    body = request.read(LARGEST + 1)
    if len(body) > LARGEST:
        message = f"the body has more than {LARGEST} bytes"
        raise BadRequest(message)
    try:
        found = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10).get("logout_token", [])
    except ValueError:  # too many fields
        found = []
    if len(found) != 1:
        message = "the form has no logout_token, or several"
        raise BadRequest(message)
    return found[0]
