"""The door of the JSON interface: who calls, by what scope, and which revision answers."""

import functools
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from authz.api.problems import problem
from authz.credentials import Presented, Unsettled, service
from authz.decisions.vocabulary import Principal
from authz.decisions.world import World
from authz.errors import AuthzError, BadRequest
from authz.formats import revision
from authz.lookups.current import CURRENT, current_world


class Call(NamedTuple):
    """A call that was let in."""

    request: HttpRequest
    who: Principal
    world: World
    at: float


View = Callable[..., dict[str, Any]]


def read_only(*, scope: str) -> Callable[[View], Callable[..., JsonResponse]]:
    """Make a GET of the JSON interface from a function of a Call; errors become problems, and every answer is dated."""

    def decorate(view: View) -> Callable[..., JsonResponse]:
        @never_cache
        @csrf_exempt
        @functools.wraps(view)
        def answer(request: HttpRequest, **parts: Any) -> JsonResponse:  # noqa: ANN401  parts of the path
            if request.method not in {"GET", "HEAD"}:
                body = {"error": "method-not-allowed", "detail": "use GET"}
                return JsonResponse(body, status=405, headers={"Allow": "GET, HEAD"})
            try:
                call = _let_in(request, scope)
                body = view(call, **parts)
            except AuthzError as error:
                return problem(error)
            response = JsonResponse(body)
            response["Authz-Revision"] = revision.make(call.world.epoch, call.world.revision)
            return response

        return answer

    return decorate


def _let_in(request: HttpRequest, scope: str) -> Call:
    at = time.time()
    world = current_world()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    presented = Presented(token.strip() if scheme.lower() == "bearer" else "", request.headers.get("X-API-Key", ""))
    try:
        who = service(presented, world, at, scope=scope)
    except Unsettled as error:
        with suppress(DatabaseError):  # what is still unsettled then is refused
            error.settle()
        world = current_world()
        who = service(presented, world, at, scope=scope)
    if demanded := request.headers.get("Authz-At-Least"):
        # Only now: a demand may cost a look at the tables, which no stranger shall cause.
        if (wanted := revision.read(demanded)) is None:
            message = "Authz-At-Least is not a revision"
            raise BadRequest(message)
        world = CURRENT.at_least(wanted[1], wanted[0])
        who = service(presented, world, at, scope=scope)
    return Call(request, who, world, at)
