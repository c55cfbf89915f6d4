"""Home: who one is, what one may use, where one is signed in, and what one is connected to."""

import time

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from authz.decisions.membership import groups_of
from authz.decisions.search import what_can
from authz.decisions.vocabulary import Kind
from authz.lookups.current import current_world
from authz.models import Session
from authz.pages.connections import own
from authz.pages.middleware import principal_of


@never_cache
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Show somebody's own page."""
    principal = principal_of(request)
    if principal is None or not request.user.is_authenticated:
        return redirect("login")
    world, at = current_world(), time.time()
    person = world.people[principal.person]
    reaches = [reach for reach in what_can(world, person.number, at=at) if reach.server.kind != Kind.PORTAL]
    return render(
        request,
        "pages/home.html",
        {
            "person": person,
            "groups": sorted(world.groups[number].name for number in groups_of(world, person, at)),
            "reaches": reaches,
            "sessions": Session.objects.filter(person_id=person.number, ended_at=None, until__gt=timezone.now()),
            "this_session": int(principal.credential.partition(":")[2]),
            "connections": own(person.number, this=principal.credential),
        },
    )
