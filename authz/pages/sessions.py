"""One's own sessions: end one of them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from audit.context import Actor
from authz.changes import sessions
from authz.models import Session


@require_POST
def end(request: HttpRequest, number: int) -> HttpResponse:
    """End one of one's own sessions; anybody else's is not found."""
    if not request.user.is_authenticated:
        return redirect("login")
    session = get_object_or_404(Session, pk=number, person=request.user)
    by = Actor.person(session.person.email, address=request.META.get("REMOTE_ADDR", ""))
    sessions.end(session, by=by, because="ended by its owner")
    return redirect("home")
