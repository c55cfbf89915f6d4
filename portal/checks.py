"""System checks that refuse to start an unsafe deployment, and say what to set."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.http.request import validate_host

from authz.edge.assertion import signing_key
from authz.errors import Unavailable
from authz.formats import cookie_domain

SHORTEST_KEY = 50


def _reaching_nobody() -> list[CheckMessage]:
    """Return an error for each setting with which signing in would go round in circles without a word."""
    host = urlsplit(settings.PORTAL_URL).hostname or ""
    found: list[CheckMessage] = []
    if settings.AUTHZ_COOKIE_DOMAIN and (why := cookie_domain.problem(settings.AUTHZ_COOKIE_DOMAIN, host)):
        message = (
            f"Browsers would drop the session cookie: AUTHZ_COOKIE_DOMAIN is {settings.AUTHZ_COOKIE_DOMAIN!r}; {why}."
        )
        hint = "Set it to a domain that the portal and the applications share, such as example.com, or to nothing."
        found.append(Error(message, hint=hint, id="gatehouse.E008"))
    if ":" in host:
        host = f"[{host}]"  # IPv6, as ALLOWED_HOSTS spells it
    if host and not validate_host(host, settings.ALLOWED_HOSTS):
        message = f"The portal would refuse its own address: {host}, of PORTAL_URL, is not among ALLOWED_HOSTS."
        found.append(Error(message, hint=f"Add {host} to ALLOWED_HOSTS.", id="gatehouse.E009"))
    return found


@register()
def safe_to_serve(**_: Any) -> list[CheckMessage]:  # noqa: ANN401  the shape Django wants
    """Return an error for each setting with which nobody should serve others."""
    found: list[CheckMessage] = []
    unknown = set(settings.AUTHZ_IDENTITY_HEADERS) - {"x-user", "remote", "x-auth-request"}
    if unknown or not settings.AUTHZ_IDENTITY_HEADERS:
        found.append(
            Error(
                f"AUTHZ_IDENTITY_HEADERS names no known family: {', '.join(sorted(unknown)) or 'it is empty'}.",
                hint="Use one or more of x-user, remote, x-auth-request.",
                id="gatehouse.E006",
            )
        )
    if settings.AUTHZ_ASSERTION_KEY:
        try:
            signing_key()
        except Unavailable as error:
            hint = "Make one with: openssl genpkey -algorithm ed25519"
            found.append(Error(f"{error}.", hint=hint, id="gatehouse.E007"))
    found += _reaching_nobody()
    if settings.LOCAL:
        return found
    for wrong, message, hint, number in (
        (
            len(settings.SECRET_KEY_TEXT) < SHORTEST_KEY,
            "SECRET_KEY is missing or short.",
            f"Set SECRET_KEY, or SECRET_KEY_FILE, to {SHORTEST_KEY} or more random characters.",
            "gatehouse.E001",
        ),
        (settings.DEBUG, "DEBUG is on.", "Unset DEBUG: tracebacks show what nobody else may see.", "gatehouse.E002"),
        (
            not settings.COOKIE_SECURE,
            "Cookies would travel over plain HTTP.",
            "Unset COOKIE_SECURE and serve the portal over HTTPS.",
            "gatehouse.E003",
        ),
        (
            not settings.PORTAL_URL.startswith("https://"),
            "PORTAL_URL is not an https:// address.",
            "Set PORTAL_URL to the address under which people reach the portal, such as https://portal.example.com.",
            "gatehouse.E004",
        ),
        (
            not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS,
            "ALLOWED_HOSTS is empty or allows any name.",
            "Set ALLOWED_HOSTS to the portal's public name.",
            "gatehouse.E005",
        ),
    ):
        if wrong:
            found.append(Error(message, hint=hint, id=number))
    return found
