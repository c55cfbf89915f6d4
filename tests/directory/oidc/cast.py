"""Those who sign in by a provider, and what they do in their browsers."""

from typing import Any

from django.conf import settings
from django.test import Client

from audit.context import Actor
from authz.changes import sources
from authz.models import Session, Source
from tests.directory.oidc.provider import CLIENT, SECRET, Provider

BY = Actor.command("tests")


def okta(provider: Provider, name: str = "okta", secret: str = SECRET, **more: Any) -> Source:
    """Add a provider, called Okta, as an administrator does: by its issuer, client and secret."""
    asked = {"issuer": provider.issuer, "client_id": CLIENT} | more
    return sources.add(name=name, kind="oidc", title=name.title(), settings=asked, secret=secret, by=BY)


def begun(browser: Client, name: str = "okta", **query: str) -> str:
    """Follow the button, and return where it leads."""
    answer = browser.get(f"/oidc/{name}/begin", query)
    assert 302 == answer.status_code, answer.content.decode()
    return str(answer["Location"])


def sign_in(browser: Client, provider: Provider, who: dict[str, Any] | None = None, name: str = "okta", **query: str):
    """Sign in there, come back, and return the answer."""
    back = provider.allows(begun(browser, name, **query), who)
    return browser.get(f"/oidc/{name}/callback", back)


def signed_in(provider: Provider, who: dict[str, Any] | None = None, name: str = "okta") -> Client:
    """Return a browser in which somebody has just signed in."""
    browser = Client()
    answer = sign_in(browser, provider, who, name)
    assert 302 == answer.status_code, answer.content.decode()
    return browser


def session_of(browser: Client) -> Session:
    """Return the newest session, which the last sign-in began."""
    assert settings.AUTHZ_COOKIE_NAME in browser.cookies
    return Session.objects.order_by("-pk")[0]
