"""The re-check: a provider that no longer vouches for somebody ends their session; one that is down does not."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from authz.changes import people, sessions, sources
from authz.changes.provider_sessions import id_token_of, refresh_token_of
from authz.directory.oidc.discovery import DISCOVERED
from authz.directory.oidc.recheck import recheck
from authz.lookups.attention import wanted
from authz.models import Identity, Membership, ProviderSession, Session, Source, User
from tests.directory.oidc.cast import BY, okta, session_of, signed_in
from tests.directory.oidc.provider import ALICE, Provider

pytestmark = pytest.mark.django_db


def later(minutes: float = 16) -> Any:
    return timezone.now() + timedelta(minutes=minutes)


def given(provider: Provider, **more: Any) -> tuple[int, dict[str, Any]]:
    said = {
        "access_token": "access",
        "token_type": "Bearer",
        "id_token": provider.signed(provider.claims(ALICE)),
    } | more
    return 200, {name: value for name, value in said.items() if value is not None}


@pytest.fixture
def alice(provider) -> Client:
    """Return the browser of Alice, whose sign-in came with a refresh token."""
    okta(provider)
    provider.more = {"refresh_token": "refresh-1"}
    provider.refreshed = lambda _: given(provider)
    return signed_in(provider)


def held(name: str = "okta") -> ProviderSession:
    return ProviderSession.objects.get(source__name=name)


def test_it_is_asked_when_it_is_due_and_not_before(provider, alice):
    asked: list[str] = []

    def refreshed(form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        asked.append(form["refresh_token"])
        return given(provider)

    provider.refreshed = refreshed
    assert (0, []) == (recheck(timezone.now()), asked)
    assert (0, ["refresh-1"]) == (recheck(later()), asked)
    assert (0, ["refresh-1"]) == (recheck(later()), asked)
    assert (0, ["refresh-1"] * 2) == (recheck(later(32)), asked)
    assert 200 == alice.get("/").status_code


def test_a_provider_that_says_no_ends_the_session(provider, alice):
    provider.refreshed = lambda _: (400, {"error": "invalid_grant"})
    assert 1 == recheck(later())
    assert "oidc:okta: the provider no longer vouches" == Session.objects.get().ended_because
    assert "/login" == alice.get("/")["Location"]
    assert ("", "") == (held().refresh_token, held().id_token)


SILENT = {
    "broken": (500, {}),
    "busy": (503, {"error": "temporarily_unavailable"}),
    "one that does not know us any more": (401, {"error": "invalid_client"}),
    "one that mumbles": (200, {"access_token": 7}),
}


@pytest.mark.parametrize("said", SILENT.values(), ids=SILENT)
def test_a_provider_that_gives_no_answer_ends_nothing_and_is_asked_again(provider, alice, said):
    provider.refreshed = lambda _: said
    assert 0 == recheck(later())
    assert 200 == alice.get("/").status_code
    provider.refreshed = lambda _: (400, {"error": "invalid_grant"})
    assert 1 == recheck(later(32))


ODD = {
    "an access token that is no ASCII": {"access_token": "é"},
    "half a character to refresh by": {"refresh_token": "\ud800"},
}


@pytest.mark.parametrize("more", ODD.values(), ids=ODD)
def test_one_odd_provider_keeps_no_other_from_being_asked(provider, another, alice, more):
    okta(another, "entra")
    another.more = {"refresh_token": "refresh-1"}
    bob = signed_in(another, ALICE | {"sub": "bob-1", "email": "bob@example.com"}, "entra")
    provider.refreshed = lambda _: given(provider, **more)
    another.refreshed = lambda _: (400, {"error": "invalid_grant"})
    assert 1 == recheck(later())
    assert (200, 302) == (alice.get("/").status_code, bob.get("/").status_code)


def test_what_nobody_thought_of_keeps_no_other_from_being_asked(provider, another, alice, caplog):
    """It is in the log, and the others are asked."""
    okta(another, "entra")
    another.more = {"refresh_token": "refresh-1"}
    signed_in(another, ALICE | {"sub": "bob-1", "email": "bob@example.com"}, "entra")
    another.refreshed = lambda _: (400, {"error": "invalid_grant"})
    Identity.objects.filter(source__name="okta").update(attributes=5)
    assert 1 == recheck(later())
    assert ["oidc.recheck_failed"] == [each.message for each in caplog.records if each.exc_info]


def test_a_provider_that_gives_no_answer_is_named_until_it_does(provider, alice):
    """And is asked again within a minute or so."""
    provider.refreshed = lambda _: (401, {"error": "invalid_client"})
    recheck(later())
    assert [("oidc:okta", "failing")] == [(each.directory, each.state) for each in wanted()]
    assert "invalid_client" in wanted()[0].words
    assert 503 == Client().get("/healthz").status_code
    provider.refreshed = lambda _: given(provider)
    recheck(later(18))
    assert [] == wanted()


def test_a_provider_of_whom_nothing_is_asked_any_more_is_not_named(provider, alice):
    provider.refreshed = lambda _: (500, {})
    recheck(later())
    sessions.end(session_of(alice), by=BY, because="signed out")
    recheck(later(18))
    assert [] == wanted()


def test_whoever_signs_in_shows_that_a_provider_answers(provider, alice):
    provider.refreshed = lambda _: (500, {})
    recheck(later())
    signed_in(provider)
    assert [] == wanted()


def test_our_own_secret_that_cannot_be_read_is_not_the_provider_s_no(provider, alice):
    Source.objects.update(secret="w1.AAAA")
    assert 0 == recheck(later())
    assert 200 == alice.get("/").status_code
    assert "SECRET_KEY" in wanted()[0].words


def test_a_session_that_can_never_be_checked_again_ends_for_what_it_is(provider, alice):
    ProviderSession.objects.update(refresh_token="w1.AAAA")
    assert 1 == recheck(later())
    assert "what it rests on cannot be read here any more" == Session.objects.get().ended_because


@pytest.mark.parametrize(("acr", "ended"), [("high", 0), ("low", 1), (None, 1)])
def test_an_assurance_that_is_required_later_is_held_against_the_last_token(provider, acr, ended):
    """Where the provider gives no new one."""
    source = okta(provider)
    provider.more = {"refresh_token": "refresh-1"}
    signed_in(provider, ALICE | {"acr": acr})
    sources.edit(source, settings=source.settings | {"required_acr": ["high"]}, by=BY)
    provider.refreshed = lambda _: given(provider, id_token=None)
    assert ended == recheck(later())


def test_a_subject_who_is_another_person_by_now_has_no_session(provider, alice):
    """Not even if nobody can say how that came to be."""
    Identity.objects.update(person=people.create(email="bob@example.com", by=BY))
    assert 1 == recheck(later())
    assert 302 == alice.get("/").status_code


def test_a_provider_that_is_down_is_asked_once_for_all_its_sessions(provider, alice):
    signed_in(provider)
    provider.asked.clear()
    provider.breaks["/token"] = (500, b"", {})
    assert 0 == recheck(later())
    assert 1 == provider.asked.count("/token")


def test_a_new_refresh_token_is_kept_and_nobody_can_read_it(provider, alice):
    new = provider.signed(provider.claims(ALICE, jti="second"))
    provider.refreshed = lambda _: given(provider, refresh_token="refresh-2", id_token=new)
    recheck(later())
    assert ("refresh-2", new) == (refresh_token_of(held()), id_token_of(held()))
    assert "refresh" not in str(ProviderSession.objects.values_list().get())


def test_what_it_says_of_the_person_is_taken_over(provider, alice):
    engineer = ALICE | {"name": "Alice Smith", "groups": ["engineering"]}
    provider.refreshed = lambda _: given(provider, id_token=provider.signed(provider.claims(engineer)))
    recheck(later())
    assert "Alice Smith" == User.objects.get().name
    assert ["engineering"] == list(Membership.objects.values_list("group__name", flat=True))


def test_without_an_id_token_userinfo_is_asked(provider, alice):
    provider.refreshed = lambda _: given(provider, id_token=None)
    provider.userinfo = ALICE | {"groups": ["sales"]}
    recheck(later())
    assert ["sales"] == list(Membership.objects.values_list("group__name", flat=True))


def test_what_userinfo_does_not_say_is_as_the_last_id_token_said_it(provider, alice):
    """Entra's userinfo has no groups: that is not the end of them."""
    provider.refreshed = lambda _: given(provider, id_token=None)
    provider.userinfo = {"name": "Alice Smith"}
    assert 0 == recheck(later())
    assert "Alice Smith" == User.objects.get().name
    assert ["interns"] == list(Membership.objects.values_list("group__name", flat=True))


def test_userinfo_with_an_e_mail_that_is_not_verified_any_more_ends_the_session(provider, alice):
    provider.refreshed = lambda _: given(provider, id_token=None)
    provider.userinfo = {"email": "carol@example.com"}
    assert 1 == recheck(later())
    assert "alice@example.com" == User.objects.get().email


def test_without_either_its_word_is_enough(provider, alice):
    provider.metadata["userinfo_endpoint"] = None
    DISCOVERED.forget(provider.issuer)
    provider.refreshed = lambda _: given(provider, id_token=None)
    assert 0 == recheck(later())
    assert ["interns"] == list(Membership.objects.values_list("group__name", flat=True))


WRONG = {
    "about somebody else": {"sub": "bob-1"},
    "of another issuer": {"iss": "https://evil.example.com"},
    "for another client": {"aud": "chat"},
    "with an e-mail no longer verified": {"email_verified": False},
}


@pytest.mark.parametrize("more", WRONG.values(), ids=WRONG)
def test_a_token_for_which_a_sign_in_would_be_refused_ends_the_session(provider, alice, more):
    provider.refreshed = lambda _: given(provider, id_token=provider.signed(provider.claims(ALICE, **more)))
    assert 1 == recheck(later())
    assert 302 == alice.get("/").status_code


def test_userinfo_about_somebody_else_ends_the_session(provider, alice):
    provider.refreshed = lambda _: given(provider, id_token=None)
    provider.userinfo = {"sub": "bob-1"}
    assert 1 == recheck(later())


def test_a_session_without_a_refresh_token_is_not_asked_about(provider):
    okta(provider)
    signed_in(provider)
    assert held().check_at is None
    assert 0 == recheck(later(600))


def test_an_ended_session_is_not_asked_about_and_its_tokens_are_forgotten(provider, alice):
    sessions.end(session_of(alice), by=BY, because="signed out")
    provider.asked.clear()
    assert 0 == recheck(later())
    assert "/token" not in provider.asked
    assert ("", "", None) == (held().refresh_token, held().id_token, held().check_at)


def test_a_provider_that_is_switched_off_is_not_asked(provider, alice):
    sources.edit(held().source, enabled=False, by=BY)
    provider.asked.clear()
    assert (0, []) == (recheck(later()), provider.asked)


def test_somebody_suspended_by_hand_stays_so(provider, alice):
    people.suspend(User.objects.get(), by=BY)
    recheck(later())
    assert not User.objects.get().is_active
    assert 302 == alice.get("/").status_code
