"""Leads to a provider to sign in there (Core 1.0 §3.1.2.1)."""

import logging
import time
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from mozilla_django_oidc.views import OIDCAuthenticationRequestView

from authz.directory.oidc.provider import Provider, named, provider_of
from authz.errors import AuthzError, NoSuchThing
from authz.pages.login import way_back
from authz.pages.oidc import refused, states

log = logging.getLogger(__name__)

LONGEST = 2000
"""Characters; a browser takes a cookie of 4096."""


class Begin(OIDCAuthenticationRequestView):
    """The library's request: `state`, `nonce` and PKCE are drawn by it, for one provider of several."""

    def __init__(self, provider: Provider) -> None:
        """Take the place of the library's settings."""
        self.provider = provider
        super().__init__()

    def get_settings(self, attr: str, *args: Any) -> Any:  # noqa: ANN401  the library's own signature
        """Return a setting of the library for this provider."""
        ours = {
            "OIDC_OP_AUTHORIZATION_ENDPOINT": self.provider.metadata.authorization_endpoint,
            "OIDC_RP_CLIENT_ID": self.provider.settings.client_id,
            "OIDC_RP_SCOPES": " ".join(self.provider.settings.scopes),
            "OIDC_USE_NONCE": True,
            "OIDC_USE_PKCE": True,
            "OIDC_PKCE_CODE_CHALLENGE_METHOD": "S256",
            "OIDC_AUTHENTICATION_CALLBACK_URL": "login",  # it must exist; ours follows in get_extra_params
        }
        return ours[attr] if attr in ours else args[0]

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:  # noqa: ARG002  the library's own signature
        """Return what is asked besides; the address to come back to is never taken from the request."""
        extra = dict(self.provider.settings.extra_parameters)
        if self.provider.settings.required_acr:
            extra["acr_values"] = " ".join(self.provider.settings.required_acr)
        return extra | {"redirect_uri": self.provider.redirect_uri}

    def get(self, request: HttpRequest) -> HttpResponse:
        """Lead there, with what is remembered in a cookie of its own."""
        answer: HttpResponse = super().get(request)
        endpoint = self.provider.metadata.authorization_endpoint
        if "?" in endpoint:  # RFC 6749 §3.1 allows a query, the library does not
            answer = HttpResponseRedirect(f"{endpoint}&{answer['Location'][len(endpoint) + 1 :]}")
        # The library keeps all tabs in one cookie of a few kilobytes that is signed and can be read.
        ((state, held),) = request.session.pop("oidc_states").items()
        request.session.pop("oidc_login_next", None)
        kept = states.State(held["nonce"], held["code_verifier"], good_way_back(request), time.time() + states.PATIENCE)
        states.keep(answer, request, provider=self.provider.source.name, state=state, held=kept)
        return answer


@never_cache
@require_safe
def begin(request: HttpRequest, name: str) -> HttpResponse:
    """Lead to a provider, or say that it cannot be reached."""
    try:
        source = named(name)
    except NoSuchThing as error:
        raise Http404(str(error)) from error
    try:
        return Begin(provider_of(source)).get(request)
    except AuthzError as error:
        log.warning("oidc.provider_failed", extra={"directory": str(source), "error": str(error)})
        words = "It cannot be reached just now. Please try again in a moment."
        return refused.page(request, words=words, status=502, source=source, rd=good_way_back(request))


def good_way_back(request: HttpRequest) -> str:
    """Return where to go after signing in, as we sealed it; empty if we did not, or if no cookie could hold it."""
    rd = request.GET.get("rd", "")
    return rd if len(rd) <= LONGEST and way_back(rd) != "/" else ""
