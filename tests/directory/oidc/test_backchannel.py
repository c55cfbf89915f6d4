"""Back-channel logout: a provider says whose session it ended, and exactly that ends here, at once."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from joserfc.jwk import ECKey

from authz.changes import provider_sessions, sources
from authz.models import Session, Source, SpentToken
from tests.credentials.issuer import key_for, signed
from tests.directory.oidc.cast import BY, begun, okta, session_of, signed_in
from tests.directory.oidc.provider import ALICE, EVENT, Provider
from tests.directory.oidc.test_forged import by_hand

pytestmark = pytest.mark.django_db
BOB = {"sub": "bob-1", "email": "bob@example.com", "email_verified": True, "name": "Bob", "groups": []}


def say(token: str, name: str = "okta", **more: Any):
    """Send a logout token as a provider does: from a machine that has no cookie, with CSRF checked as in earnest."""
    provider = Client(enforce_csrf_checks=True)
    form = {"content_type": "application/x-www-form-urlencoded"} | more
    return provider.post(f"/oidc/{name}/backchannel-logout", f"logout_token={token}", **form)


def is_in(browser: Client) -> bool:
    return 200 == browser.get("/").status_code


@pytest.fixture
def alice(provider) -> Client:
    """Return the browser of Alice, who is signed in by Okta's session there-1."""
    okta(provider)
    return signed_in(provider, ALICE | {"sid": "there-1"})


def test_it_ends_the_one_session_that_it_names(provider, alice):
    phone, bob = signed_in(provider, ALICE | {"sid": "there-2"}), signed_in(provider, BOB | {"sid": "there-3"})
    answer = say(provider.logout_token(sid="there-1", sub=None))
    assert (200, "no-store") == (answer.status_code, answer["Cache-Control"])
    assert (False, True, True) == (is_in(alice), is_in(phone), is_in(bob))
    assert "signed out at oidc:okta" == Session.objects.exclude(ended_at=None).get().ended_because


def test_it_ends_all_sessions_of_a_subject(provider, alice):
    phone, bob = signed_in(provider, ALICE | {"sid": "there-2"}), signed_in(provider, BOB)
    assert 200 == say(provider.logout_token(sub="alice-1")).status_code
    assert (False, False, True) == (is_in(alice), is_in(phone), is_in(bob))


def test_with_both_it_ends_the_session_of_that_subject_and_any_whose_name_we_were_not_told(provider, alice):
    phone, tablet = signed_in(provider, ALICE | {"sid": "there-2"}), signed_in(provider)
    bob = signed_in(provider, BOB)
    assert 200 == say(provider.logout_token(sub="alice-1", sid="there-1")).status_code
    assert (False, True, False, True) == tuple(map(is_in, (alice, phone, tablet, bob)))


def test_a_session_of_somebody_else_by_that_name_goes_on(provider, alice):
    assert 200 == say(provider.logout_token(sub="bob-1", sid="there-1")).status_code
    assert is_in(alice)


def test_one_provider_never_ends_the_sessions_of_another(provider, another, alice):
    """Even of the same subject and session, and even at the other's address."""
    okta(another, "entra", joins="link")
    other = signed_in(another, ALICE | {"sid": "there-1"}, "entra")
    assert 400 == say(provider.logout_token(sid="there-1"), "entra").status_code
    assert (True, True) == (is_in(alice), is_in(other))
    assert 200 == say(provider.logout_token(sid="there-1")).status_code
    assert (False, True) == (is_in(alice), is_in(other))


def test_two_clients_at_the_same_issuer_are_two_providers(provider, alice):
    okta(provider, "second", client_id="gatehouse-2")
    assert 400 == say(provider.logout_token(), "second").status_code
    assert is_in(alice)
    assert 200 == say(provider.logout_token(aud="gatehouse-2"), "second").status_code
    assert is_in(alice)


def test_a_token_is_used_once(provider, alice):
    """Else whoever copied it could end the next session too."""
    token = provider.logout_token()
    assert 200 == say(token).status_code
    again = signed_in(provider)
    answer = say(token)
    assert (400, "no-store") == (answer.status_code, answer["Cache-Control"])
    assert "used already" in answer.json()["error_description"]
    assert is_in(again)


def test_a_token_that_ends_nothing_is_used_too(provider, alice):
    token = provider.logout_token(sub="bob-1")
    assert [200, 400] == [say(token).status_code for _ in range(2)]


def test_the_same_name_of_a_token_at_another_provider_is_another_token(provider, another, alice):
    okta(another, "entra")
    assert 200 == say(provider.logout_token(jti="1")).status_code
    assert 200 == say(another.logout_token(jti="1"), "entra").status_code


def test_what_was_used_is_forgotten_once_it_would_be_refused_anyway(provider, alice):
    say(provider.logout_token())
    provider_sessions.forget()
    assert 0 < SpentToken.objects.count()
    SpentToken.objects.update(until=timezone.now())
    provider_sessions.forget()
    assert 0 == SpentToken.objects.count()


def test_a_sign_in_overtaken_by_the_end_of_its_session_begins_none(provider, alice):
    """The provider ended it between the code and the callback."""
    browser = Client()
    back = provider.allows(begun(browser), ALICE | {"sid": "there-9"})
    assert 200 == say(provider.logout_token(sid="there-9")).status_code
    answer = browser.get("/oidc/okta/callback", back)
    assert 403 == answer.status_code
    assert b"signed out there" in answer.content


UNDER_WAY: dict[str, tuple[dict[str, Any], dict[str, Any], int]] = {
    "all sessions of hers": ({}, {"sid": "there-9"}, 403),
    "all sessions of hers, and the provider names none": ({}, {}, 403),
    "one that may be this": ({"sid": "there-1"}, {}, 403),
    "another session of hers": ({"sid": "there-1"}, {"sid": "there-9"}, 302),
    "all sessions of somebody else": ({"sub": "bob-1"}, {"sid": "there-9"}, 302),
}


@pytest.mark.parametrize(("ended", "more", "status"), UNDER_WAY.values(), ids=UNDER_WAY)
def test_a_sign_in_that_was_begun_before_the_provider_ended(provider, alice, ended, more, status):
    """Whatever its ID token says of when it was made: the provider may have made it after that."""
    browser = Client()
    back = provider.allows(begun(browser), ALICE | more)
    assert 200 == say(provider.logout_token(**ended)).status_code
    provider.skew = 20
    assert status == browser.get("/oidc/okta/callback", back).status_code


def test_whoever_begins_to_sign_in_after_that_is_let_in(provider, alice):
    assert 200 == say(provider.logout_token()).status_code
    assert is_in(signed_in(provider))


def test_why_a_token_cannot_be_checked_is_told_to_nobody(provider, alice):
    token = provider.logout_token()
    Source.objects.update(secret="w1.AAAA")
    answer = say(token)
    assert (400, "this cannot be checked now") == (answer.status_code, answer.json()["error_description"])


def test_a_provider_that_is_switched_off_is_not_heard(provider, alice):
    source = session_of(alice).provider.source
    token = provider.logout_token()
    sources.edit(source, enabled=False, by=BY)
    assert 400 == say(token).status_code
    assert 400 == say(token, "nobody").status_code


STRANGER = ECKey.generate_key("P-256", {"kid": key_for("ES256").kid, "use": "sig"})
GOOD: dict[str, dict[str, Any]] = {
    "of no type": {"header": {"typ": None}},
    "of type JWT": {"header": {"typ": "JWT"}},
    "of the whole media type": {"header": {"typ": "application/logout+jwt"}},
    "with members in the event": {"events": {EVENT: {"reason": "left"}, "https://example.com/event": {}}},
    "for several audiences, issued to us": {"aud": ["gatehouse", "chat"], "azp": "gatehouse"},
    "from a clock 20 s ahead": {"shift": {"iat": 20}},
    "that expired 20 s ago": {"shift": {"exp": -20}},
    "with a claim that nobody knows": {"trace": "x"},
}
WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "of another issuer": ("another issuer", {"iss": "https://evil.example.com"}),
    "of no issuer": ("another issuer", {"iss": None}),
    "for another client": ("somebody else", {"aud": "chat"}),
    "for nobody": ("somebody else", {"aud": None}),
    "issued to another": ("issued to somebody else", {"azp": "chat"}),
    "expired": ("expired", {"shift": {"exp": -60}}),
    "that never expires": ("expired", {"exp": None}),
    "issued at no time": ("when it was issued", {"iat": None}),
    "issued a minute from now": ("not good yet", {"shift": {"iat": 60}}),
    "issued long ago": ("too old", {"shift": {"iat": -3600}}),
    "without events": ("not a logout token", {"events": None}),
    "with another event": ("not a logout token", {"events": {"https://example.com/event": {}}}),
    "with a list of events": ("not a logout token", {"events": [EVENT]}),
    "with an event that is no object": ("not a logout token", {"events": {EVENT: True}}),
    "with an event that is null": ("not a logout token", {"events": {EVENT: None}}),
    "with a nonce": ("no nonce", {"nonce": "x"}),
    "without a name": ("no name of its own", {"jti": None}),
    "named by a number": ("jti is not a text", {"jti": 7}),
    "with an empty name": ("jti is not a text", {"jti": ""}),
    "about nobody": ("names nobody", {"sub": None}),
    "about an empty subject": ("sub is not a text", {"sub": ""}),
    "about a list of subjects": ("sub is not a text", {"sub": ["alice-1"]}),
    "about an empty session": ("sid is not a text", {"sid": ""}),
    "about a session with half a character": ("sid is not a text", {"sid": "\ud800"}),
    "about a subject with a line break": ("sub is not a text", {"sub": "alice\n1"}),
    "named by a control character": ("jti is not a text", {"jti": "\x00"}),
    "named by half a character": ("jti is not a text", {"jti": "\ud800"}),
    "about a session with too long a name": ("sid is not a text", {"sid": "x" * 256}),
    "that is an access token": ("another type", {"header": {"typ": "at+jwt"}}),
}


@pytest.mark.parametrize("more", GOOD.values(), ids=GOOD)
def test_a_token_within_the_rules_is_obeyed(provider, alice, more):
    assert 200 == say(provider.logout_token(**more)).status_code
    assert not is_in(alice)


@pytest.mark.parametrize(("words", "more"), WRONG.values(), ids=WRONG)
def test_a_token_outside_the_rules_ends_nothing(provider, alice, words, more):
    answer = say(provider.logout_token(**more))
    assert (400, "no-store", "application/json") == (
        answer.status_code,
        answer["Cache-Control"],
        answer["Content-Type"],
    )
    assert "invalid_request" == answer.json()["error"]
    assert words in answer.json()["error_description"]
    assert is_in(alice)


def claims_of(provider: Provider) -> dict[str, Any]:
    return provider.claims({"sub": "alice-1", "jti": "1", "events": {EVENT: {}}})


def test_a_token_that_the_provider_did_not_sign_ends_nothing(provider, alice):
    said = claims_of(provider)
    for token in (
        signed(said, key=STRANGER),
        by_hand(said, alg="none"),
        by_hand(said, alg="HS256"),
        by_hand(said, typ=1),
        signed(said, "PS256"),
        signed(said).rpartition(".")[0] + ".",
        "x",
    ):
        assert 400 == say(token).status_code
    assert is_in(alice)


def test_an_id_token_ends_nothing(provider, alice):
    assert 400 == say(provider.signed(provider.claims(ALICE, nonce="x"))).status_code
    assert 400 == say(provider.signed(provider.claims(ALICE))).status_code
    assert is_in(alice)


BODIES = {
    "nothing": {"data": ""},
    "another field": {"data": "token=x"},
    "two tokens": {"data": "logout_token=x&logout_token=y"},
    "many fields": {"data": "&".join(f"a{n}=1" for n in range(100))},
    "a large body": {"data": "logout_token=" + "x" * 200_000},
    "JSON": {"data": '{"logout_token": "x"}', "content_type": "application/json"},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_is_not_the_form_is_refused(provider, alice, body):
    sent = {"content_type": "application/x-www-form-urlencoded"} | body
    answer = Client().post("/oidc/okta/backchannel-logout", **sent)
    assert (400, "no-store") == (answer.status_code, answer["Cache-Control"])
    assert 405 == Client().get("/oidc/okta/backchannel-logout").status_code
    assert is_in(alice)
