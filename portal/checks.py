"""System checks that refuse to start an unsafe deployment, and say what to set."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from authz.edge.assertion import signing_key
from authz.errors import Unavailable

SHORTEST_KEY = 50


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
