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

from audit.context import Actor
from authz.api.problems import problem
from authz.credentials import Presented, Unsettled, service
from authz.credentials.cookies import session_cookies
from authz.decisions.vocabulary import Principal
from authz.decisions.world import World
from authz.errors import AuthzError, BadRequest, Unavailable
from authz.formats import revision
from authz.lookups.build import revision_now
from authz.lookups.current import CURRENT, current_world

READING = "GET"


class Call(NamedTuple):
    """A call that was let in."""

    request: HttpRequest
    who: Principal
    world: World
    at: float

    @property
    def address(self) -> str:
        """Return where it came from."""
        return str(self.request.META.get("REMOTE_ADDR", ""))

    @property
    def actor(self) -> Actor:
        """Return who acts, for the book."""
        person = self.world.people[self.who.person]
        return (Actor.person if person.human else Actor.service)(person.email, address=self.address)


Caller = Callable[[HttpRequest, World, float], Principal]
"""Returns who calls, if they may call at all; BadCredential, NotAllowed or Unsettled otherwise."""
View = Callable[..., dict[str, Any]]


def key(scope: str) -> Caller:
    """Return that an API key with this scope must be shown."""
    return lambda request, world, at: service(presented_by(request), world, at, scope=scope)


def answers(to: Caller, *, method: str = READING, status: int = 200) -> Callable[[View], Callable[..., JsonResponse]]:
    """Make one method of an address from a function of a Call; errors become problems, and every answer is dated.

    The function returns the body. What only reads is dated with the revision that it read, anything else with one that
    holds what it changed.
    """
    allowed = (method, "HEAD") if method == READING else (method,)

    def decorate(view: View) -> Callable[..., JsonResponse]:
        @never_cache
        @csrf_exempt
        @functools.wraps(view)
        def answer(request: HttpRequest, **parts: Any) -> JsonResponse:  # noqa: ANN401  parts of the path
            if request.method not in allowed:
                body = {"error": "method-not-allowed", "detail": f"use {method}"}
                return JsonResponse(body, status=405, headers={"Allow": ", ".join(allowed)})
            try:
                call = let_in(request, to)
                body = view(call, **parts)
                date = dated(call, changed=method != READING)
            except AuthzError as error:
                return problem(error)
            except DatabaseError:
                return problem(Unavailable("the database cannot be asked now"))
            return JsonResponse(body, status=status, headers={"Authz-Revision": date})

        return answer

    return decorate


def presented_by(request: HttpRequest) -> Presented:
    """Return the credentials in a request, as text."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return Presented(
        token.strip() if scheme.lower() == "bearer" else "",
        request.headers.get("X-API-Key", ""),
        session_cookies(request.headers.get("Cookie", "")),
    )


def let_in(request: HttpRequest, to: Caller) -> Call:
    """Return a call that may be made, settled and as new as it demands; AuthzError says why it may not."""
    at = time.time()
    world = current_world()
    try:
        who = to(request, world, at)
    except Unsettled as error:
        with suppress(DatabaseError):  # what is still unsettled then is refused
            error.settle()
        world = current_world()
        who = to(request, world, at)
    if demanded := request.headers.get("Authz-At-Least"):
        # Only now: a demand may cost a look at the tables, which no stranger shall cause.
        if (wanted := revision.read(demanded)) is None:
            message = "Authz-At-Least is not a revision"
            raise BadRequest(message)
        world = CURRENT.at_least(wanted[1], wanted[0])
        who = to(request, world, at)
    return Call(request, who, world, at)


def dated(call: Call, *, changed: bool) -> str:
    """Return the revision of an answer: the one that was read, or one that holds what the call changed."""
    if not changed:
        return revision.make(call.world.epoch, call.world.revision)
    now = revision_now()
    return revision.make(now.epoch, now.revision)
