"""Signing in with a password, and back to where one came from and nowhere else."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from audit.context import Actor
from audit.models import Entry
from authz.changes import people, sessions
from authz.conf import signing_key
from authz.formats import return_address
from authz.models import Session, User

pytestmark = pytest.mark.django_db
PASSWORD = "a quiet harbour at dawn"
BY = Actor.system("test")


@pytest.fixture
def alice() -> User:
    """Return Alice, who has a password."""
    return people.create(email="alice@example.com", name="Alice", password=PASSWORD, by=BY)


def sign_in(client: Client, email: str = "alice@example.com", password: str = PASSWORD, **more: str) -> Any:
    """Send the login form."""
    return client.post("/login", {"email": email, "password": password, **more})


def cookie_of(answer: Any) -> Any:
    """Return the session cookie that was set."""
    return answer.cookies[django_settings.AUTHZ_COOKIE_NAME]


def test_the_right_password_begins_a_session(client: Client, alice: User) -> None:
    """A row with device and address, a cookie that scripts cannot read, and an entry in the book."""
    answer = sign_in(client, "  ALICE@example.com ")
    assert (302, "/") == (answer.status_code, answer["Location"])
    morsel = cookie_of(answer)
    assert (True, "Lax", "/", "") == (morsel["httponly"], morsel["samesite"], morsel["path"], morsel["domain"])
    session = Session.objects.get()
    assert (alice.pk, "127.0.0.1", None) == (session.person_id, session.address, session.ended_at)
    assert morsel.value not in str(Session.objects.values_list().get())
    assert "session.started" == Entry.objects.order_by("-number")[0].kind
    assert b"alice@example.com" in client.get("/").content


WRONG: dict[str, Callable[[User], dict[str, str]]] = {
    "a wrong password": lambda _: {"password": "wrong"},
    "an unknown account": lambda _: {"email": "nobody@example.com"},
    "a suspended account": lambda alice: {"email": people.suspend(alice, by=BY).email},
    "a service account": lambda _: {"email": people.create(email="robot@example.com", is_human=False, by=BY).email},
    "an account without a password": lambda _: {"email": people.create(email="new@example.com", by=BY).email},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_whatever_is_wrong_is_refused_in_the_same_words(
    client: Client, alice: User, wrong: Callable[[User], dict[str, str]]
) -> None:
    """Nobody learns who has an account; the book knows the reason."""
    answer = sign_in(client, **wrong(alice))
    assert 401 == answer.status_code
    assert b"do not belong together" in answer.content
    assert django_settings.AUTHZ_COOKIE_NAME not in answer.cookies
    assert 0 == Session.objects.filter(ended_at=None).count()
    assert "sign_in.refused" == Entry.objects.order_by("-number")[0].kind


@pytest.mark.parametrize("form", [{}, {"email": ""}, {"email": "alice@example.com"}, {"password": "x"}], ids=str)
def test_an_incomplete_form_says_what_is_missing(client: Client, form: dict[str, str]) -> None:
    """Beside the field."""
    answer = client.post("/login", form)
    assert 400 == answer.status_code
    assert b"This field is required." in answer.content


def test_guessing_is_slowed_down_for_the_account(client: Client, alice: User, settings: Any) -> None:
    """After so many wrong passwords even the right one waits, in another spelling of the name as well."""
    settings.AUTHZ_SIGN_IN_ATTEMPTS = 3
    for spelling in ("alice@example.com", "ALICE@example.com", " alice@example.com "):
        assert 401 == sign_in(client, spelling, "wrong").status_code
    answer = sign_in(client)
    assert 401 == answer.status_code
    assert b"Too many wrong passwords" in answer.content
    settings.AUTHZ_SIGN_IN_WINDOW = 0
    assert 302 == sign_in(client).status_code
    assert alice.pk == Session.objects.get().person_id


def test_guessing_is_slowed_down_for_the_address(client: Client, alice: User, settings: Any) -> None:
    """One password tried on many accounts counts as well; from elsewhere she still gets in."""
    settings.AUTHZ_SIGN_IN_ATTEMPTS = 3
    for n in range(15):
        sign_in(client, f"person{n}@example.com", "Summer2026!")
    assert b"Too many wrong passwords" in sign_in(client).content
    elsewhere = Client(REMOTE_ADDR="192.0.2.9")
    assert 302 == sign_in(elsewhere, alice.email).status_code


def test_a_right_password_forgives_the_wrong_ones(client: Client, alice: User, settings: Any) -> None:
    """Somebody who mistypes now and then is never locked out."""
    settings.AUTHZ_SIGN_IN_ATTEMPTS = 3
    for _ in range(3):
        assert 401 == sign_in(client, alice.email, "wrong").status_code
        assert 401 == sign_in(client, alice.email, "wrong").status_code
        assert 302 == sign_in(client).status_code


def test_the_way_back_is_one_that_we_sealed(client: Client, alice: User) -> None:
    """Also for somebody whose first password was wrong: the page keeps it."""
    rd = return_address.make("https://chat.example.com/x?y=1", key=signing_key("return"), expires=int(time.time()) + 60)
    page = sign_in(client, alice.email, "wrong", rd=rd)
    assert rd.encode() in page.content
    assert "https://chat.example.com/x?y=1" == sign_in(client, rd=rd)["Location"]


ELSEWHERE = [
    "https://evil.example.com/", "//evil.example.com", "/\\evil.example.com", "javascript:alert(1)", "x", "..",
    "aHR0cHM6Ly9ldmlsLmV4YW1wbGUuY29tLw.9999999999.AAAA", "\x00", "é", "a.b.c.d",
]  # fmt: skip


@pytest.mark.parametrize("rd", ELSEWHERE)
def test_any_other_way_back_leads_home(client: Client, alice: User, rd: str) -> None:
    """And is shown escaped."""
    assert "/" == sign_in(client, alice.email, rd=rd)["Location"]
    assert b"<script" not in client.get("/login", {"rd": '"><script>alert(1)</script>'}).content


def test_a_way_back_does_not_last_for_ever(client: Client, alice: User) -> None:
    """Once expired, it leads home."""
    rd = return_address.make("https://chat.example.com/", key=signing_key("return"), expires=int(time.time()) - 1)
    assert "/" == sign_in(client, alice.email, rd=rd)["Location"]


def test_a_login_form_from_another_site_is_refused(alice: User) -> None:
    """Without the token of the page there is no signing in, so nobody is signed in as somebody else unawares."""
    strict = Client(enforce_csrf_checks=True)
    assert 403 == sign_in(strict, alice.email).status_code
    assert 403 == strict.post("/logout").status_code


def test_signing_in_makes_a_new_session_whatever_cookie_was_there(client: Client, alice: User) -> None:
    """A cookie that was planted beforehand is worth nothing afterwards."""
    mallory = people.create(email="mallory@example.com", password=PASSWORD, by=BY)
    hour = timedelta(hours=1)
    planted = sessions.begin(person=mallory, device="", address="", lifetime=hour, idle=hour, by=BY)
    client.cookies[django_settings.AUTHZ_COOKIE_NAME] = planted.token
    assert planted.token != cookie_of(sign_in(client, alice.email)).value
    assert b"alice@example.com" in client.get("/").content


def test_signing_out_ends_the_session_itself(client: Client, alice: User) -> None:
    """A copy of the cookie is worth nothing afterwards; only a form signs out, never a link."""
    token = cookie_of(sign_in(client, alice.email)).value
    assert 200 == client.get("/logout").status_code
    assert Session.objects.get().ended_at is None
    answer = client.post("/logout")
    assert (302, "/login") == (answer.status_code, answer["Location"])
    assert "signed out" == Session.objects.get().ended_because
    client.cookies[django_settings.AUTHZ_COOKIE_NAME] = token
    assert "/login" == client.get("/")["Location"]


def test_pages_are_kept_by_nobody_and_framed_by_nobody(client: Client, alice: User) -> None:
    """Neither a cache nor another site's frame gets them."""
    sign_in(client, alice.email)
    for path in ("/login", "/", "/logout"):
        answer = client.get(path)
        assert "no-store" in answer["Cache-Control"]
        assert "DENY" == answer["X-Frame-Options"]
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
        assert "nosniff" == answer["X-Content-Type-Options"]
