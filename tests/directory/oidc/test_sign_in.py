"""Signing in by a provider: whom it lets in, and as whom."""

import time
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.utils import timezone
from mozilla_django_oidc.utils import generate_code_challenge

from audit.models import Entry
from authz.changes import people, sources
from authz.conf import signing_key
from authz.formats import return_address
from authz.models import Identity, Membership, ProviderSession, Session, Source, User
from authz.pages.oidc import states
from tests.directory.oidc.cast import BY, begun, okta, session_of, sign_in, signed_in
from tests.directory.oidc.provider import ALICE, CLIENT, Provider

pytestmark = pytest.mark.django_db
UNDER_WAY = {
    "state": "state",
    "nonce": "nonce",
    "code_challenge": generate_code_challenge("verifier" * 6, "S256"),
    "redirect_uri": f"{settings.PORTAL_URL}/oidc/okta/callback",
}


def query_of(location: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def test_the_login_page_has_a_button_for_each_enabled_provider(provider, another):
    okta(provider)
    entra = okta(another, "entra")
    rd = return_address.make("https://chat.example.com/", key=signing_key("return"), expires=int(time.time()) + 60)
    page = Client().get("/login", {"rd": rd}).content.decode()
    assert "Sign in with Okta" in page
    assert f"/oidc/entra/begin?rd={rd}" in page
    sources.edit(entra, enabled=False, by=BY)
    assert "Entra" not in Client().get("/login").content.decode()


def test_the_request_is_a_code_with_pkce_state_and_nonce(provider):
    """Its redirect URI is made of our configured address, whatever host the browser named."""
    okta(provider, scopes=["openid", "email", "groups"], extra_parameters={"prompt": "consent"}, required_acr=["mfa"])
    location = begun(Client(HTTP_HOST="localhost"))
    asked = query_of(location)
    assert f"{provider.issuer}/authorize" == location.partition("?")[0]
    assert ("code", CLIENT, "S256") == (asked["response_type"], asked["client_id"], asked["code_challenge_method"])
    assert "openid email groups" == asked["scope"]
    assert ("consent", "mfa") == (asked["prompt"], asked["acr_values"])
    assert f"{settings.PORTAL_URL}/oidc/okta/callback" == asked["redirect_uri"]
    again = query_of(begun(Client()))
    assert not {asked[name] for name in ("state", "nonce", "code_challenge")} & set(again.values())


def test_an_authorization_endpoint_may_have_a_query_of_its_own(provider):
    provider.metadata["authorization_endpoint"] += "?policy=sign-in"
    okta(provider)
    asked = query_of(begun(Client()))
    assert ("sign-in", CLIENT) == (asked["policy"], asked["client_id"])


def test_somebody_new_becomes_a_person_by_their_subject(provider):
    """With name, e-mail and groups, a session that knows how it was proven, and an entry in the book."""
    source = okta(provider)
    browser = Client()
    answer = sign_in(browser, provider, ALICE | {"amr": ["pwd", "otp"], "acr": "urn:mfa", "sid": "there-1"})
    assert (302, "/") == (answer.status_code, answer["Location"])
    alice = User.objects.get()
    assert ("alice@example.com", "Alice", "oidc:okta") == (alice.email, alice.name, alice.source)
    assert [("interns", "oidc:okta")] == list(Membership.objects.values_list("group__name", "source"))
    assert "alice-1" == Identity.objects.get(source=source).external_id
    held = ProviderSession.objects.get()
    assert (session_of(browser).pk, "alice-1", "there-1") == (held.session_id, held.subject, held.sid)
    assert (["pwd", "otp"], "urn:mfa") == (held.amr, held.acr)
    assert held.id_token.startswith("w1.")
    assert "session.started" in Entry.objects.values_list("kind", flat=True)
    assert b"alice@example.com" in browser.get("/").content


def test_one_comes_back_to_where_one_came_from(provider):
    okta(provider)
    rd = return_address.make("https://chat.example.com/x", key=signing_key("return"), expires=int(time.time()) + 60)
    assert "https://chat.example.com/x" == sign_in(Client(), provider, rd=rd)["Location"]
    assert "/" == sign_in(Client(), provider, rd="https://evil.example.com/")["Location"]


def test_somebody_renamed_there_is_the_same_person(provider):
    okta(provider)
    signed_in(provider)
    signed_in(provider, ALICE | {"email": "alice.smith@example.com", "name": "Alice Smith", "groups": []})
    alice = User.objects.get()
    assert ("alice.smith@example.com", "Alice Smith") == (alice.email, alice.name)
    assert 0 == Membership.objects.count()


def test_a_second_sign_in_ends_the_first_of_the_same_browser(provider):
    okta(provider)
    browser = signed_in(provider)
    first = session_of(browser)
    sign_in(browser, provider)
    first.refresh_from_db()
    assert "signed in anew" == first.ended_because


def test_two_tabs_sign_in_at_once(provider):
    """In whichever order they come back."""
    okta(provider)
    browser = Client()
    backs = [provider.allows(begun(browser)) for _ in range(3)]
    for back in reversed(backs):
        assert 302 == browser.get("/oidc/okta/callback", back).status_code


def test_a_browser_keeps_a_bounded_number_of_sign_ins_under_way(provider):
    okta(provider)
    browser = Client()
    last = [begun(browser) for _ in range(20)][-1]
    kept = [name for name, morsel in browser.cookies.items() if name.startswith("gatehouse-oidc-") and morsel.value]
    assert 8 == len(kept)
    assert 302 == browser.get("/oidc/okta/callback", provider.allows(last)).status_code


def test_userinfo_is_asked_only_for_what_the_token_lacks(provider):
    okta(provider, kept_claims=["department"])
    provider.userinfo = {"department": "R&D", "groups": ["engineering"], "email": "other@example.com"}
    signed_in(provider)
    assert "/userinfo" in provider.asked
    assert "alice@example.com" == User.objects.get().email  # what the token says goes first
    assert [["R&D"]] == [each.attributes["department"] for each in Identity.objects.all()]
    provider.asked.clear()
    signed_in(provider, ALICE | {"department": "Sales"})
    assert "/userinfo" not in provider.asked
    assert ["Sales"] == Identity.objects.get().attributes["department"]


def test_userinfo_about_somebody_else_is_refused(provider):
    okta(provider)
    provider.userinfo = {"sub": "bob-1", "groups": ["administrators"]}
    answer = sign_in(Client(), provider, {"sub": "alice-1", "email": "alice@example.com", "email_verified": True})
    assert 403 == answer.status_code
    assert b"about somebody else" in answer.content
    assert 0 == User.objects.count()


def test_claims_that_nobody_knows_are_reported(provider, caplog):
    """In the log, and beside the person's identity."""
    okta(provider)
    with caplog.at_level("INFO", "authz.directory.oidc"):
        signed_in(provider, ALICE | {"clearance": "top", "locale": "en"})
    assert ["clearance"] == Identity.objects.get().attributes["unknown_claims"]
    assert [["clearance"]] == [record.claims for record in caplog.records if hasattr(record, "claims")]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_the_client_is_proven_as_the_provider_wants_it(provider, method):
    provider.metadata["token_endpoint_auth_methods_supported"] = ["private_key_jwt", method]
    okta(provider)
    assert 302 == sign_in(Client(), provider).status_code


def test_the_response_names_its_issuer_where_that_is_announced(provider):
    """RFC 9207: missing or another's, it is refused."""
    provider.metadata["authorization_response_iss_parameter_supported"] = True
    okta(provider)
    assert 302 == sign_in(Client(), provider).status_code
    for wrong in ({}, {"iss": "https://evil.example.com"}):
        browser = Client()
        back = provider.allows(begun(browser))
        del back["iss"]
        answer = browser.get("/oidc/okta/callback", back | wrong)
        assert 403 == answer.status_code
        assert b"another provider" in answer.content
    assert 1 == Session.objects.count()


def test_another_issuer_in_the_response_is_refused_even_if_none_is_announced(provider):
    okta(provider)
    browser = Client()
    back = provider.allows(begun(browser)) | {"iss": "https://evil.example.com"}
    assert 403 == browser.get("/oidc/okta/callback", back).status_code


def test_the_same_answer_is_good_once(provider):
    """Even for a browser that kept its cookie, and even if the provider gave a second code."""
    okta(provider)
    browser = Client()
    location = begun(browser)
    cookies = {name: morsel.value for name, morsel in browser.cookies.items() if name.startswith("gatehouse-oidc-")}
    back = provider.allows(location)
    assert 302 == browser.get("/oidc/okta/callback", back).status_code
    copied = Client()
    copied.cookies.load(cookies)
    for replay in (back, provider.allows(location)):
        for each in (browser, copied):
            answer = each.get("/oidc/okta/callback", replay)
            assert 400 == answer.status_code
            assert b"used already" in answer.content
    assert 1 == Session.objects.count()


def test_an_answer_belongs_to_the_browser_and_provider_it_was_asked_for(provider, another):
    """Else somebody could be signed in as another, or have one provider's answer taken for another's."""
    okta(provider)
    okta(another, "entra")
    browser = Client()
    back = provider.allows(begun(browser))
    assert 400 == Client().get("/oidc/okta/callback", back).status_code
    assert 400 == browser.get("/oidc/entra/callback", back).status_code
    assert 400 == browser.get("/oidc/okta/callback", {"code": back["code"]}).status_code
    assert 0 == Session.objects.count()


@pytest.mark.parametrize(("seconds", "status"), [(1, 302), (-1, 400)])
def test_a_sign_in_does_not_wait_for_ever(provider, seconds, status):
    """Whatever the browser does with the cookie after its ten minutes."""
    okta(provider)
    browser, kept = Client(), HttpResponse()
    back = provider.allows(f"/?{urlencode(UNDER_WAY)}")
    held = states.State("nonce", "verifier" * 6, "", time.time() + seconds)
    states.keep(kept, HttpRequest(), provider="okta", state="state", held=held)
    browser.cookies = kept.cookies
    assert status == browser.get("/oidc/okta/callback", back).status_code


def test_what_the_browser_keeps_cannot_be_read(provider):
    okta(provider)
    browser = Client()
    asked = query_of(begun(browser))
    assert asked["nonce"] not in str(browser.cookies)
    assert "verifier" not in str(browser.cookies)


ODD_TOKENS = {
    "an access token that is no ASCII": {"access_token": "é"},
    "an access token with a line break": {"access_token": "a\nb"},
    "half a character to refresh by": {"refresh_token": "\ud800"},
    "NUL to refresh by": {"refresh_token": "\x00"},
}


@pytest.mark.parametrize("more", ODD_TOKENS.values(), ids=ODD_TOKENS)
def test_tokens_that_could_not_be_sent_on_are_not_taken(provider, more):
    okta(provider)
    provider.more = more
    assert 502 == sign_in(Client(), provider, {"sub": "alice-1", "email": "alice@example.com"}).status_code
    assert 0 == Session.objects.count()


def test_what_is_set_up_wrongly_here_is_told_to_nobody_who_signs_in(provider):
    """SECRET_KEY is nothing that a visitor should hear of."""
    okta(provider)
    browser = Client()
    back = provider.allows(begun(browser))
    Source.objects.update(secret="w1.AAAA")
    for answer in (browser.get("/oidc/okta/callback", back), Client().get("/oidc/okta/begin")):
        assert 502 == answer.status_code
        assert b"SECRET_KEY" not in answer.content


def test_cookies_that_somebody_planted_do_not_keep_anybody_out(provider):
    """Of names, too, by which no cookie could be deleted."""
    okta(provider)
    planted = "; ".join(f"gatehouse-oidc-({number}=x" for number in range(12))
    assert 302 == Client().get("/oidc/okta/begin", headers={"Cookie": planted}).status_code


def test_only_a_way_back_of_ours_is_kept_with_a_sign_in(provider):
    """Anything else could be made so long that no browser keeps it."""
    okta(provider)
    for rd in ("é" * 5000, "a" * 60_000):
        browser = Client()
        location = begun(browser, rd=rd)
        assert 1000 > len(str(browser.cookies))
        assert "/" == browser.get("/oidc/okta/callback", provider.allows(location))["Location"]


def test_an_error_of_the_provider_is_shown_without_its_words(provider):
    okta(provider)
    browser = Client()
    back = provider.allows(begun(browser))
    wrong = {"state": back["state"], "error": "access_denied", "error_description": "Call 555-1234"}
    answer = browser.get("/oidc/okta/callback", wrong)
    assert 403 == answer.status_code
    assert b"access_denied" in answer.content
    assert b"555" not in answer.content


def test_a_link_with_an_error_signs_nobody_out(provider):
    okta(provider)
    browser = signed_in(provider)
    assert 400 == browser.get("/oidc/okta/callback", {"error": "x", "state": "y"}).status_code
    assert 200 == browser.get("/").status_code


def test_a_suspended_person_is_refused(provider):
    okta(provider)
    signed_in(provider)
    people.suspend(User.objects.get(), by=BY)
    answer = sign_in(Client(), provider)
    assert 403 == answer.status_code
    assert b"may not sign in" in answer.content
    assert 0 == Session.objects.filter(ended_at=None).count()
    assert "sign_in.refused" in Entry.objects.values_list("kind", flat=True)


def test_somebody_whose_e_mail_is_another_s_is_refused_and_told_little(provider):
    """The book names the reason; the page names nobody."""
    okta(provider)
    people.create(email="alice@example.com", name="Another Alice", by=BY)
    answer = sign_in(Client(), provider)
    assert 403 == answer.status_code
    assert b"Another" not in answer.content
    assert b"no account here" in answer.content
    assert 0 == Session.objects.count()
    assert "oidc:okta" in Entry.objects.filter(kind="sign_in.refused").get().detail


def test_a_local_person_is_joined_where_the_provider_is_allowed_to(provider):
    okta(provider, joins="link")
    alice = people.create(email="alice@example.com", name="Alice Local", by=BY)
    assert 302 == sign_in(Client(), provider).status_code
    assert alice.pk == User.objects.get().pk
    assert "Alice Local" == User.objects.get().name


def test_a_service_account_never_signs_in(provider):
    okta(provider, joins="link")
    people.create(email="alice@example.com", is_human=False, by=BY)
    assert 403 == sign_in(Client(), provider).status_code
    assert 0 == Session.objects.count()


def test_a_disabled_provider_ends_its_sessions_and_begins_none(provider, another):
    source = okta(provider)
    okta(another, "entra")
    browser, other = signed_in(provider), signed_in(another, ALICE | {"email": "bob@example.com"}, "entra")
    under_way = Client()
    back = provider.allows(begun(under_way))
    sources.edit(source, enabled=False, by=BY)
    assert "/login" == browser.get("/")["Location"]
    assert 200 == other.get("/").status_code
    assert 404 == Client().get("/oidc/okta/begin").status_code
    assert 404 == under_way.get("/oidc/okta/callback", back).status_code
    assert 404 == Client().get("/oidc/nobody/begin").status_code


def test_a_session_begins_with_the_usual_limits(provider):
    okta(provider)
    session = session_of(signed_in(provider))
    assert timedelta(seconds=settings.AUTHZ_SESSION_LIFETIME) == session.until - session.started_at
    assert settings.AUTHZ_SESSION_IDLE == session.idle
    assert session.until > timezone.now()
    assert isinstance(provider, Provider)
