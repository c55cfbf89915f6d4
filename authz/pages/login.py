"""Sign-in with e-mail and password, and back to where one came from and nowhere else."""

import time
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from audit.context import Actor
from authz.changes import sessions
from authz.conf import signing_key
from authz.directory.oidc.provider import enabled
from authz.directory.sign_in import sign_in
from authz.errors import BadCredential, TooBusy
from authz.formats import return_address
from authz.models import Session, Source
from authz.pages.middleware import principal_of


class LoginForm(forms.Form):
    """What the login page asks."""

    email = forms.CharField(
        label="E-mail",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True, "spellcheck": "false"}),
    )
    password = forms.CharField(
        label="Password",
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


def form_for(request: HttpRequest) -> LoginForm:
    """Return the form; where an LDAP directory is asked, people may have other names there than their e-mail."""
    form = LoginForm(request.POST if request.method == "POST" else None)
    if Source.objects.filter(kind=Source.LDAP, enabled=True).exists():
        form.fields["email"].label = "E-mail or user name"
        form.fields["email"].widget = forms.TextInput(form.fields["email"].widget.attrs)
    return form


@never_cache
@csrf_protect
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """Show the form, or sign in."""
    rd = request.POST.get("rd", request.GET.get("rd", ""))
    said = LoginForm(request.POST if request.method == "POST" else None)
    refused = ""
    # Nothing before this asks the database: whoever waits for their turn must not hold a connection.
    if request.method == "POST" and said.is_valid():
        try:
            begun = sign_in(
                email=said.cleaned_data["email"],
                password=said.cleaned_data["password"],
                device=request.headers.get("User-Agent", ""),
                address=request.META.get("REMOTE_ADDR", ""),
            )
        except TooBusy as error:
            kept = rd if way_back(rd) != "/" else ""
            busy = render(request, "pages/busy.html", {"why": str(error), "rd": kept}, status=503)
            busy["Retry-After"] = "5"
            return busy
        except BadCredential as error:
            refused = str(error)
        else:
            end_the_one_before(request)
            rotate_token(request)
            answer = HttpResponseRedirect(way_back(rd))
            set_cookie(answer, begun.token)
            return answer
    form = form_for(request)
    status = 200 if request.method != "POST" else 401 if refused else 400
    page = render(
        request, "pages/login.html", {"form": form, "rd": rd, "refused": refused, "providers": enabled()}, status=status
    )
    # A browser holds the page's form-action against the redirect that follows the form as well (CSP 3 §6.4.1), so the
    # one place that we lead back to must be named in it.
    page._csp_update = {"form-action": [origin_of(way_back(rd))]}  # type: ignore[attr-defined]  # noqa: SLF001  django-csp's own decorator does the same
    return page


def end_the_one_before(request: HttpRequest) -> None:
    """End the session that the browser brought along: its cookie is about to be replaced, and nobody could end it."""
    if (principal := principal_of(request)) is not None:
        before = Session.objects.select_related("person").get(pk=int(principal.credential.partition(":")[2]))
        by = Actor.person(before.person.email, address=request.META.get("REMOTE_ADDR", ""))
        sessions.end(before, by=by, because="signed in anew")


def way_back(rd: str) -> str:
    """Return where to go after signing in: the address we sealed ourselves, or home."""
    return return_address.read(rd, key=signing_key("return"), now=time.time()) or "/"


def origin_of(address: str) -> str:
    """Return the origin of an address (RFC 6454), or 'self' for a path of our own."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme else "'self'"


def set_cookie(answer: HttpResponse, token: str) -> None:
    """Give the browser its session cookie; every sign-in makes a new one, so none can be planted beforehand."""
    answer.set_cookie(
        settings.AUTHZ_COOKIE_NAME,
        token,
        domain=settings.AUTHZ_COOKIE_DOMAIN or None,
        secure=settings.COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
        path="/",
    )
