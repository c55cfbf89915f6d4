"""Signing out of a session that a provider began: ours ends first, then the browser is led there."""

from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.test import Client

from authz.changes import sources
from authz.directory.oidc.discovery import DISCOVERED
from authz.models import ProviderSession, Session
from tests.directory.oidc.cast import BY, okta, session_of, signed_in
from tests.directory.oidc.provider import CLIENT
from tests.pages.cast import Cast

pytestmark = pytest.mark.django_db


def led_to(answer) -> str:
    """Return where the page leads by itself."""
    assert 200 == answer.status_code
    return unescape(answer.content.decode().partition('content="0; url=')[2].partition('"')[0])


def test_signing_out_leads_to_the_provider_with_the_token_it_gave(provider):
    okta(provider)
    browser = signed_in(provider)
    answer = browser.post("/logout")
    assert "signed out" == Session.objects.get().ended_because
    assert "" == answer.cookies[settings.AUTHZ_COOKIE_NAME].value
    to = urlsplit(led_to(answer))
    asked = {name: values[0] for name, values in parse_qs(to.query).items()}
    assert f"{provider.issuer}/end" == f"{to.scheme}://{to.netloc}{to.path}"
    assert f"{settings.PORTAL_URL}/oidc/okta/signed-out" == asked["post_logout_redirect_uri"]
    assert (CLIENT, 3) == (asked["client_id"], len(asked["id_token_hint"].split(".")))
    assert "no-store" in answer["Cache-Control"]
    assert f"'self' {provider.issuer}" not in answer["Content-Security-Policy"]


def test_back_from_there_it_is_said_that_both_have_ended(provider):
    """Only to the browser that was led there, and once."""
    okta(provider)
    browser = signed_in(provider)
    state = parse_qs(urlsplit(led_to(browser.post("/logout"))).query)["state"][0]
    assert b"whether at Okta too" in Client().get("/oidc/okta/signed-out", {"state": state}).content
    assert b"Here and at Okta." in browser.get("/oidc/okta/signed-out", {"state": state}).content
    assert b"whether at Okta too" in browser.get("/oidc/okta/signed-out", {"state": state}).content
    assert 404 == browser.get("/oidc/nobody/signed-out").status_code


def test_a_state_of_signing_out_signs_nobody_in(provider):
    okta(provider)
    browser = signed_in(provider)
    state = parse_qs(urlsplit(led_to(browser.post("/logout"))).query)["state"][0]
    answer = browser.get("/oidc/okta/callback", {"state": state, "code": "x"})
    assert 400 == answer.status_code
    assert 0 == Session.objects.filter(ended_at=None).count()


def test_a_provider_without_a_place_for_it_ends_ours_alone(provider):
    provider.metadata["end_session_endpoint"] = None
    okta(provider)
    browser = signed_in(provider)
    assert "/login" == browser.post("/logout")["Location"]
    assert session_of(browser).ended_at is not None


def test_a_provider_that_is_down_does_not_keep_anybody_in(provider):
    okta(provider)
    browser = signed_in(provider)
    DISCOVERED.forget(provider.issuer)
    provider.breaks["/.well-known/openid-configuration"] = (500, b"", {})
    assert "/login" == browser.post("/logout")["Location"]
    assert Session.objects.get().ended_at is not None


def test_a_token_that_cannot_be_read_any_more_does_not_keep_anybody_in(provider):
    okta(provider)
    browser = signed_in(provider)
    ProviderSession.objects.update(id_token="w1.AAAA")
    assert "/login" == browser.post("/logout")["Location"]
    assert Session.objects.get().ended_at is not None


def test_a_provider_that_is_switched_off_is_not_led_to(provider):
    okta(provider)
    browser = signed_in(provider)
    sources.edit(ProviderSession.objects.get().source, enabled=False, by=BY)
    assert "/login" == browser.post("/logout")["Location"]


def test_a_session_begun_by_a_password_leads_nowhere_else(provider):
    okta(provider)
    cast = Cast()
    assert "/login" == cast.signed_in(cast.alice).post("/logout")["Location"]


def test_an_endpoint_may_have_a_query_of_its_own(provider):
    provider.metadata["end_session_endpoint"] += "?policy=out"
    okta(provider)
    assert "/end?policy=out&id_token_hint=" in led_to(signed_in(provider).post("/logout"))
