"""The door of the SCIM server: which directory a token is for, and whether it is listened to."""

import logging
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from pydantic import ValidationError
from scim2_models import InvalidValueException, SCIMException, ScimPolicy

from audit.context import Actor
from authz.api.door import dated, let_in, presented_by
from authz.api.scim.problems import Failed, MethodNotAllowed, told
from authz.credentials import identify
from authz.decisions.scopes import SCIM
from authz.decisions.vocabulary import Principal
from authz.decisions.world import World
from authz.errors import AuthzError, BadCredential, BadRequest, NotAllowed, Unavailable
from authz.models import Source

log = logging.getLogger(__name__)

POLICY: Final = ScimPolicy(
    # RFC 7644 §3.3: what a client says beyond the schema is ignored.
    unknown=ScimPolicy.Unknown.ignore,
    # Entra: a remove with a list of values is about these, and a replace of what is not there yet adds it.
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
"""What is tolerated beyond the standard, because clients in use send it."""
READING: Final = frozenset({"GET", "HEAD"})


class Call(NamedTuple):
    """A call that was let in, and the directory whose token was shown."""

    request: HttpRequest
    source: Source
    actor: Actor


View = Callable[..., HttpResponse]


def answers(*, changes: bool = True, **methods: View) -> View:
    """Make an address from a function for each method; errors become those of SCIM, and what changed is dated."""

    @never_cache
    @csrf_exempt
    def answer(request: HttpRequest, **parts: Any) -> HttpResponse:  # noqa: ANN401  parts of the path
        asked = "GET" if request.method in READING else request.method or ""
        try:
            let = let_in(request, client)
            call = Call(request, _source(let.who), let.actor)
            with POLICY:
                response = _asked(methods, asked)(call, **parts)
            if changes and asked not in READING:
                response["Authz-Revision"] = dated(let, changed=True)
        except (AuthzError, SCIMException, ValidationError) as error:
            response = told(error)
            if isinstance(error, MethodNotAllowed):
                response["Allow"] = ", ".join(methods)
        except RecursionError:
            response = told(BadRequest("the request is nested too deeply"))
        except DataError:
            response = told(InvalidValueException(detail="something in the request cannot be stored, or looked for"))
        except (OperationalError, InterfaceError):
            response = told(Unavailable("the database cannot be asked now"))
        except Exception:
            # Provisioning clients read nothing but SCIM, and take a page of HTML for an outage.
            log.exception("scim.failed", extra={"path": request.path, "method": request.method})
            response = told(Failed(detail="this could not be answered; the log of Gatehouse says why"))
        return response

    return answer


def _asked(methods: dict[str, View], method: str) -> View:
    if method not in methods:
        message = f"use {', '.join(methods)}" if methods else "there is no such address"
        raise MethodNotAllowed(detail=message)
    return methods[method]


def tell_ignored(call: Call, said: Iterable[str]) -> None:
    """Log by name what a client said and nobody reads, so that somebody who misses it can find out."""
    if names := sorted(set(said)):
        log.info("scim.ignored", extra={"directory": call.source.name, "attributes": names[:20]})


def client(request: HttpRequest, world: World, at: float) -> Principal:
    """Return the service account that a token is held by; only a Bearer token counts (RFC 7644 §2)."""
    who = identify(presented_by(request)._replace(api_key="", sessions=()), world, at)
    person = world.people.get(who.person) if who else None
    if who is None or person is None or not who.credential.startswith("key:"):
        message = "show the token of a SCIM directory as a Bearer token"
        raise BadCredential(message)
    if not person.active:
        message = "the account of this token is suspended"
        raise NotAllowed(message)
    if person.human:
        message = "this key is a person's; a directory is provisioned by a service account"
        raise NotAllowed(message)
    if len(_names(who)) != 1:
        message = f"this needs an API key with one scope of the form {SCIM}<directory>"
        raise NotAllowed(message)
    return who


def _names(who: Principal) -> list[str]:
    return [scope.removeprefix(SCIM) for scope in who.scopes or () if scope.startswith(SCIM)]


def _source(who: Principal) -> Source:
    """Return the directory that a token is for, if it is listened to; the token alone decides which it is."""
    (name,) = _names(who)
    source = Source.objects.filter(name=name, kind=Source.SCIM).first()
    if source is None:
        message = f"there is no SCIM directory {name}"
        raise NotAllowed(message)
    if not source.enabled:
        message = f"the directory {name} is switched off"
        raise NotAllowed(message)
    return source
