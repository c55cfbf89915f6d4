"""Signing out at the provider too (OpenID Connect RP-Initiated Logout 1.0), once our own session has ended."""

import logging
import secrets
import time
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from authz.changes.provider_sessions import id_token_of
from authz.directory.oidc.provider import address_of, named, provider_of, title_of
from authz.errors import AuthzError, NoSuchThing
from authz.models import ProviderSession, Session
from authz.pages.oidc import states

log = logging.getLogger(__name__)


def provider_session_of(session: Session) -> ProviderSession | None:
    """Return what a session rests on, if a provider that is enabled began it."""
    return ProviderSession.objects.select_related("source").filter(session=session, source__enabled=True).first()


def way_out(request: HttpRequest, held: ProviderSession) -> HttpResponse | None:
    """Return the page that leads to where the provider ends its session; None if it has no such place, or is down."""
    name = held.source.name
    try:
        provider = provider_of(held.source)
        if not provider.metadata.end_session_endpoint:
            return None
        hint = id_token_of(held)
    except AuthzError as error:
        log.warning("oidc.sign_out_not_passed_on", extra={"directory": str(held.source), "error": str(error)})
        return None
    state = secrets.token_urlsafe(24)
    query = {
        "id_token_hint": hint,
        "client_id": provider.settings.client_id,
        "post_logout_redirect_uri": address_of(held.source, "signed-out"),
        "state": state,
    }
    endpoint = provider.metadata.end_session_endpoint
    to = (
        f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode({key: value for key, value in query.items() if value})}"
    )
    # A redirect would be held against the form-action of whichever page the form was on (CSP 3 §6.4.1), and each of
    # them would have to name every provider; a page that leads on by itself needs no such hole.
    answer = render(request, "pages/sign_out_there.html", {"to": to, "title": provider.title})
    kept = states.State("", "", "", time.time() + states.PATIENCE)
    states.keep(answer, request, provider=f"{name}/out", state=state, held=kept)
    return answer


@never_cache
@require_safe
def signed_out(request: HttpRequest, name: str) -> HttpResponse:
    """Say where one is signed out now: there as well, if the provider brings back the state it was given."""
    try:
        source = named(name)
    except NoSuchThing as error:
        raise Http404(str(error)) from error
    state = request.GET.get("state", "")
    there = states.held_by(request, provider=f"{name}/out", state=state) is not None
    answer = render(request, "pages/signed_out.html", {"there": there, "title": title_of(source)})
    states.drop(answer, state)
    return answer
