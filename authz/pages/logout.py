"""Sign-out: ends the session in the tables, not only in the browser."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from audit.context import Actor
from authz.changes import sessions
from authz.models import Session
from authz.pages.middleware import principal_of
from authz.pages.oidc.logout import provider_session_of, way_out


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """Ask, or end the session and forget the cookie."""
    if request.method != "POST":
        return render(request, "pages/logout.html")
    principal = principal_of(request)
    answer: HttpResponse = HttpResponseRedirect("/login")
    if principal is not None:
        session = Session.objects.select_related("person").get(pk=int(principal.credential.partition(":")[2]))
        by = Actor.person(session.person.email, address=request.META.get("REMOTE_ADDR", ""))
        provided = provider_session_of(session)
        sessions.end(session, by=by, because="signed out")
        # Ours has ended whatever becomes of the provider's: it may be down, and is asked only now.
        answer = (way_out(request, provided) if provided else None) or answer
    answer.delete_cookie(
        settings.AUTHZ_COOKIE_NAME, path="/", domain=settings.AUTHZ_COOKIE_DOMAIN or None, samesite="Lax"
    )
    return answer
