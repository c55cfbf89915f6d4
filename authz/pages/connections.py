"""One's own live connections: what they are, and an end to one or to all of them."""

from typing import NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from audit.context import Actor
from authz.changes import connections
from authz.lookups.connections import because, by_what, where_to, with_issuers
from authz.models import ApiKey, Connection, Session, User

BECAUSE = "disconnected by its owner"


class Shown(NamedTuple):
    """A connection as its owner sees it."""

    row: Connection
    to: str
    by: str
    because: str


def own(person: int, *, this: str) -> list[Shown]:
    """Return somebody's live connections; `this` is the credential by which they look."""
    rows = list(with_issuers().filter(person=person))
    if not rows:
        return []
    by = {
        f"key:{pk}": f"the API key {name}"
        for pk, name in ApiKey.objects.filter(person=person).values_list("pk", "name")
    }
    for pk, device in Session.objects.filter(person=person, ended_at=None).values_list("pk", "device"):
        by[f"session:{pk}"] = f"the sign-in on {device or 'an unknown device'}"
    by[this] = "this sign-in"
    return [Shown(row, where_to(row), by.get(row.credential) or by_what(row), because(row)) for row in rows]


@require_POST
def end(request: HttpRequest, name: str) -> HttpResponse:
    """End one of one's own connections; anybody else's is not found, and one that has just ended is what was wanted."""
    if not isinstance(request.user, User):
        return redirect("login")
    row = Connection.objects.filter(pk=name).first()
    if row is not None:
        if row.person_id != request.user.pk:
            raise Http404
        connections.hang_up(row, by=_actor(request, request.user), because=BECAUSE)
    return redirect("home")


@require_POST
def end_all(request: HttpRequest) -> HttpResponse:
    """End all of one's own connections."""
    if not isinstance(request.user, User):
        return redirect("login")
    connections.hang_up_all(request.user, by=_actor(request, request.user), because=BECAUSE)
    return redirect("home")


def _actor(request: HttpRequest, person: User) -> Actor:
    return Actor.person(person.email, address=request.META.get("REMOTE_ADDR", ""))
