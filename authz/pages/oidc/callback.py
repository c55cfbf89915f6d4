"""Where a provider sends a browser back to (Core 1.0 §3.1.2.5): the code becomes a session, or a clear refusal."""

import logging
from datetime import timedelta

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from audit.context import Actor
from authz.changes import provider_sessions
from authz.changes.sessions import Begun
from authz.directory.oidc.backend import person_of
from authz.directory.oidc.people import LeftOut
from authz.directory.oidc.provider import Provider, named, provider_of
from authz.errors import AuthzError, BadCredential, DirectoryFailed, ImplausiblePlan, InvalidName, NoSuchThing
from authz.models import Source
from authz.pages.login import end_the_one_before, set_cookie, way_back
from authz.pages.oidc import refused, states

log = logging.getLogger(__name__)


# The library's own callback signs out whoever follows a link with an error in it, and asks every backend that Django
# has; so this is a view of ours.
@never_cache
@require_http_methods(["GET"])
def callback(request: HttpRequest, name: str) -> HttpResponse:
    """Sign in, if this browser began it, the provider vouches for it, and somebody of ours comes out of it."""
    try:
        source = named(name)
    except NoSuchThing as error:
        raise Http404(str(error)) from error
    state = request.GET.get("state", "")
    held = states.held_by(request, provider=name, state=state)
    until = timezone.now() + timedelta(seconds=states.PATIENCE)
    # The cookie can be shown again by whoever copied it; so what it is for is spent in our own tables too.
    if held is None or not provider_sessions.spend(source, f"state/{state}", until=until):
        return refused.page(request, words=refused.OVER, status=400, source=source)
    try:
        begun = _signed_in(request, provider_of(source), held)
    except AuthzError as error:
        answer = _refused(request, source, error, rd=held.rd)
    else:
        provider_sessions.note_answer(source)
        end_the_one_before(request)
        rotate_token(request)
        answer = HttpResponseRedirect(way_back(held.rd))
        set_cookie(answer, begun.token)
    states.drop(answer, state)
    return answer


def _signed_in(request: HttpRequest, provider: Provider, held: states.State) -> Begun:
    """Return the session that a good answer of the provider begins; an AuthzError says what is wrong with it."""
    _check_issuer(request, provider)
    if error := request.GET.get("error"):
        # Of its description nothing is shown: anybody could have written it (RFC 9700 §4.11).
        message = f"it did not sign you in ({error[:50] if error.isprintable() else 'no reason told'})"
        raise BadCredential(message)
    address = request.META.get("REMOTE_ADDR", "")
    by = Actor.service(str(provider.source), address=address)
    person, proof = person_of(provider, request, nonce=held.nonce, verifier=held.verifier, by=by)
    try:
        return provider_sessions.begin(
            provider.source,
            person,
            proof,
            since=held.since,
            device=request.headers.get("User-Agent", ""),
            address=address,
            recheck=timedelta(minutes=provider.settings.recheck_minutes),
            by=Actor.person(person.email, address=address),
        )
    except AuthzError as error:
        provider_sessions.refuse(name=person.email, reason=f"{provider.source}: {error}", by=by)
        raise


def _check_issuer(request: HttpRequest, provider: Provider) -> None:
    """Refuse the answer of another provider (RFC 9207 §2.4), which would be told this one's code."""
    said = request.GET.get("iss")
    if said is None and not provider.metadata.announces_iss:
        return
    if said != provider.settings.issuer:
        message = "the answer came from another provider"
        raise BadCredential(message)


def _refused(request: HttpRequest, source: Source, error: AuthzError, *, rd: str) -> HttpResponse:
    log.warning("oidc.sign_in_refused", extra={"directory": str(source), "error": str(error)})
    status, words = 403, f"{str(error)[:1].upper()}{str(error)[1:]}."
    if isinstance(error, DirectoryFailed | InvalidName):
        # The words name addresses inside, or what is set up wrongly here, and are for the log.
        status, words = 502, "It does not answer as it should just now. Please try again in a moment."
    elif isinstance(error, ImplausiblePlan):
        words = "What it says of you has to be approved by an administrator first."
    elif isinstance(error, LeftOut):
        by = Actor.service(str(source), address=request.META.get("REMOTE_ADDR", ""))
        provider_sessions.refuse(name=error.email[:254], reason=f"{source}: {error.why}", by=by)
    return refused.page(request, words=words, status=status, source=source, rd=rd)
