"""Signing in proves who one is, tells a guesser nothing, and leads back to where one came from and nowhere else."""

import threading
import time
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.utils import timezone

from audit.models import Entry
from authz.changes import people
from authz.changes import sign_in as sign_in_module
from authz.changes.sign_in import FACTOR, REFUSED, TOO_OFTEN
from authz.conf import signing_key
from authz.defence.gate import Gate
from authz.formats import return_address
from authz.models import FailedSignIn, Session, User
from tests.pages.cast import BY, PASSWORD, sign_in
from tests.patience import HANG, until

URL = "https://chat.example.com/room?a=1"


def sealed(url: str = URL, *, expires: float = 60) -> str:
    return return_address.make(url, key=signing_key("return"), expires=int(time.time() + expires))


def cookie_of(answer):
    return answer.cookies.get("gatehouse")


def test_the_right_password_begins_a_session(cast):
    browser = Client()
    answer = sign_in(browser)
    assert (302, "/") == (answer.status_code, answer["Location"])
    assert b"alice@example.com" in browser.get("/").content
    begun = Session.objects.get()
    assert ("alice@example.com", "192.0.2.7", None) == (begun.person.email, begun.address, begun.ended_at)


@pytest.mark.parametrize("email", ["ALICE@example.com", "  alice@example.com ", "Alice@Example.Com"])
def test_the_address_may_be_typed_in_any_case(cast, email):
    assert 302 == sign_in(Client(), email).status_code


REFUSALS = {
    "a wrong password": ("alice@example.com", "wrong"),
    "no such account": ("nobody@example.com", PASSWORD),
    "a suspended person": ("eve@example.com", PASSWORD),
    "a service account": ("chat@example.com", PASSWORD),
    "a person without a password": ("mallory@example.com", PASSWORD),
    "a person without a password, tried with what is stored": ("mallory@example.com", "!"),
    "the password in another case": ("alice@example.com", PASSWORD.upper()),
    "the password with a space": ("alice@example.com", f"{PASSWORD} "),
    "a look-alike address": ("al\u0131ce@example.com", PASSWORD),
    "an address with two meanings": ("alice@example.com@evil.com", PASSWORD),
    "a very long address": (f"{'a' * 200}@example.com", PASSWORD),
}


@pytest.mark.parametrize(("email", "password"), REFUSALS.values(), ids=REFUSALS)
def test_every_refusal_looks_the_same(cast, email, password):
    answer = sign_in(Client(), email, password)
    assert (401, None, 0) == (answer.status_code, cookie_of(answer), Session.objects.count())
    page = answer.content.decode()
    assert REFUSED in page
    assert "suspended" not in page.lower()
    assert f'value="{password}"' not in page
    assert "sign_in.refused" == Entry.objects.order_by("-number")[0].kind


FORMS = [
    {}, {"email": "alice@example.com"}, {"password": PASSWORD}, {"email": "", "password": ""},
    {"email": "a\0b", "password": "x"}, {"email": "x" * 300, "password": "x"},
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
def test_a_form_that_is_not_filled_in_moves_nobody_on(cast, form):
    """Authentik CVE-2026-49443: an empty POST skipped a stage."""
    answer = Client().post("/login", form)
    assert (400, None, 0) == (answer.status_code, cookie_of(answer), FailedSignIn.objects.count())


def test_wrong_passwords_lock_an_account_for_a_while_right_or_wrong(cast, settings):
    settings.AUTHZ_SIGN_IN_ATTEMPTS = 3
    assert [401] * 3 == [sign_in(Client(), password="wrong").status_code for _ in range(3)]
    answer = sign_in(Client())
    assert (401, True) == (answer.status_code, TOO_OFTEN in answer.content.decode())
    assert 302 == sign_in(Client(), "carol@example.com").status_code
    FailedSignIn.objects.update(at=timezone.now() - timedelta(seconds=settings.AUTHZ_SIGN_IN_WINDOW))
    assert 302 == sign_in(Client()).status_code


def test_an_account_that_does_not_exist_locks_in_the_same_way(cast, settings):
    """Otherwise the lock would tell who has an account."""
    settings.AUTHZ_SIGN_IN_ATTEMPTS = 3
    pages = {
        email: [sign_in(Client(), email, "wrong", address=f"192.0.2.{len(email)}").content.decode() for _ in range(4)]
        for email in ("alice@example.com", "nobody@example.com")
    }
    for said in pages.values():
        assert [False, False, False, True] == [TOO_OFTEN in page for page in said]


def test_a_lock_is_on_the_account_and_not_on_its_spelling(cast, settings):
    """Authelia CVE-2025-24806: each spelling of a name had tries of its own."""
    settings.AUTHZ_SIGN_IN_ATTEMPTS = 3
    for email in ("alice@example.com", " ALICE@example.com", "Alice@EXAMPLE.com "):
        sign_in(Client(), email, "wrong")
    assert TOO_OFTEN in sign_in(Client()).content.decode()


def test_one_address_that_guesses_at_many_accounts_is_slowed_down(cast, settings):
    settings.AUTHZ_SIGN_IN_ATTEMPTS = 3
    for n in range(3 * FACTOR):
        assert 401 == sign_in(Client(), f"nobody{n}@example.com", "wrong", address="203.0.113.9").status_code
    assert TOO_OFTEN in sign_in(Client(), address="203.0.113.9").content.decode()
    assert 302 == sign_in(Client(), address="192.0.2.7").status_code


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP"])
def test_a_client_cannot_choose_the_address_that_its_guesses_count_for(cast, settings, name):
    """9Router CVE-2026-56682: a spoofed header got around the lock."""
    settings.AUTHZ_SIGN_IN_ATTEMPTS = 3
    for n in range(3 * FACTOR):
        browser = Client(headers={name: f"198.51.100.{n}"})
        sign_in(browser, f"nobody{n}@example.com", "wrong", address="203.0.113.9")
    assert TOO_OFTEN in sign_in(Client(headers={name: "198.51.100.200"}), address="203.0.113.9").content.decode()


def test_a_good_sign_in_forgives_the_account(cast, settings):
    settings.AUTHZ_SIGN_IN_ATTEMPTS = 3
    for _ in range(3):
        assert [401, 401, 302] == [sign_in(Client(), password=word).status_code for word in ("x", "y", PASSWORD)]


def test_a_sealed_address_is_where_one_comes_back_to(cast):
    page = Client().get("/login", {"rd": sealed()}).content.decode()
    assert sealed().partition(".")[0] in page
    assert URL == sign_in(Client(), rd=sealed())["Location"]


EVIL = [
    "https://evil.com/", "//evil.com", "/\\evil.com", "\\\\evil.com", "javascript:alert(1)", "/%09/evil.com",
    "https:evil.com",
    "/", "/admin/", "", "x", "..", f"{'x' * 5000}", "https://chat.example.com/", "\x00", "http://127.0.0.1:8000@evil.com",
]  # fmt: skip


@pytest.mark.parametrize("rd", EVIL, ids=range(len(EVIL)))
@pytest.mark.parametrize("name", ["rd", "next", "redirect", "return_to", "url"])
def test_any_other_address_leads_home(cast, rd, name):
    """Authelia CVE-2021-29456 and oauth2-proxy's four: an open redirect behind the login page."""
    assert "/" == sign_in(Client(), **{name: rd})["Location"]


def test_a_seal_that_is_another_s_or_has_expired_leads_home(cast):
    forged = return_address.make("https://evil.com/", key=b"another key", expires=int(time.time()) + 60)
    assert "/" == sign_in(Client(), rd=forged)["Location"]
    assert "/" == sign_in(Client(), rd=sealed(expires=-1))["Location"]


def test_the_query_of_the_login_page_is_no_way_past_its_form(cast):
    """Only what the form carries counts after a POST; both are sealed anyway."""
    answer = Client().post(
        f"/login?rd={sealed('https://a.example.com/')}", {"email": "alice@example.com", "password": PASSWORD}
    )
    assert "https://a.example.com/" == answer["Location"]


@pytest.mark.parametrize(
    "rd", ['"><script>alert(1)</script>', "' onfocus=alert(1) autofocus='", "</title><svg/onload=alert(1)>"]
)
def test_what_is_shown_again_is_escaped(cast, rd):
    """Authelia GO-2026-4818: script by way of a parameter of the portal."""
    for answer in (Client().get("/login", {"rd": rd}), sign_in(Client(), rd, "wrong", rd=rd)):
        page = answer.content.decode()
        assert rd not in page
        assert "<script>alert" not in page
        assert "script-src 'self'" in answer["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]


def test_the_cookie_is_for_our_eyes_only(cast):
    cookie = cookie_of(sign_in(Client()))
    assert (True, "Lax", "/", "", "") == (
        cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"], cookie["max-age"],
    )  # fmt: skip
    assert 200 > len(cookie.value)


def test_over_https_the_cookie_travels_over_https_alone(cast, settings):
    settings.COOKIE_SECURE, settings.AUTHZ_COOKIE_DOMAIN = True, "example.com"
    cookie = cookie_of(sign_in(Client()))
    assert (True, "example.com") == (cookie["secure"], cookie["domain"])


def test_signing_in_without_the_form_s_token_is_refused(cast):
    browser = Client(enforce_csrf_checks=True)
    answer = sign_in(browser)
    assert (403, None, 0) == (answer.status_code, cookie_of(answer), Session.objects.count())
    token = browser.get("/login").cookies["csrftoken"].value
    assert 302 == sign_in(browser, csrfmiddlewaretoken=token).status_code


def test_the_token_of_the_forms_changes_with_the_person(cast):
    """One that was planted before would be known to whoever planted it."""
    browser = Client(enforce_csrf_checks=True)
    before = browser.get("/login").cookies["csrftoken"].value
    after = sign_in(browser, csrfmiddlewaretoken=before).cookies["csrftoken"].value
    assert before != after


def test_each_sign_in_is_a_new_session_and_ends_the_one_before(cast):
    """oauth2-proxy GHSA-f24x-5g9q-753f: the login page left the old session, which somebody else might know."""
    browser = Client()
    first = cookie_of(sign_in(browser)).value
    second = cookie_of(sign_in(browser)).value
    assert first != second
    other = Client()
    other.cookies["gatehouse"] = first
    assert 302 == other.get("/").status_code
    assert "signed in anew" == Session.objects.exclude(ended_at=None).get().ended_because


def test_a_planted_session_is_not_taken_over(cast):
    planted = cast.signed_in(cast.mallory).cookies["gatehouse"].value
    browser = Client()
    browser.cookies["gatehouse"] = planted
    assert planted != cookie_of(sign_in(browser)).value
    assert b"alice@example.com" in browser.get("/").content


def test_looking_at_the_form_begins_nothing_and_keeps_nothing(cast):
    answer = Client().get("/login")
    assert (200, 0, None) == (answer.status_code, Session.objects.count(), cookie_of(answer))
    assert "no-store" in answer["Cache-Control"]
    assert "DENY" == answer["X-Frame-Options"]


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_sign_nobody_in(cast, method):
    assert 405 == getattr(Client(), method)("/login", {"email": "alice@example.com", "password": PASSWORD}).status_code


def test_somebody_suspended_meanwhile_is_signed_out(cast):
    browser = Client()
    sign_in(browser)
    people.suspend(cast.alice, by=BY)
    assert 302 == browser.get("/").status_code
    assert 401 == sign_in(browser).status_code


def test_passwords_are_kept_as_argon2_and_nowhere_else(cast):
    assert User.objects.get(email="alice@example.com").password.startswith("argon2$argon2id$")
    sign_in(Client())
    assert not any(PASSWORD in entry.detail for entry in Entry.objects.all())


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/", "/", "/sessions/1/end", "/api/v1/explain"])
def test_a_password_is_taken_at_the_login_page_and_nowhere_else(cast, path):
    """Keycloak CVE-2026-9798: the lock was got around by another way to sign in."""
    form = {"email": "carol@example.com", "username": "carol@example.com", "password": PASSWORD}
    answer = Client().post(path, form)
    assert cookie_of(answer) is None
    assert 0 == Session.objects.filter(person=cast.carol).count()
    assert 0 == FailedSignIn.objects.count()


def test_nobody_is_kept_out_from_one_place_alone(cast, settings):
    """Wrong passwords from one address make that address wait; from many, they make the account wait."""
    settings.AUTHZ_SIGN_IN_ATTEMPTS = 3
    for _ in range(2 * FACTOR):
        sign_in(Client(), password="wrong", address="203.0.113.9")
    assert 302 == sign_in(Client()).status_code
    for n in range(3 * FACTOR):
        sign_in(Client(), password="wrong", address=f"203.0.113.{100 + n}")
    assert TOO_OFTEN in sign_in(Client()).content.decode()


def test_what_comes_too_often_does_not_fill_the_book(cast, settings):
    """It is recorded once, and not each time."""
    settings.AUTHZ_SIGN_IN_ATTEMPTS = 3
    for _ in range(12):
        sign_in(Client(), password="wrong")
    assert 4 == Entry.objects.filter(kind="sign_in.refused").count()


def test_guessing_at_one_account_from_many_addresses_is_slowed_down_too(cast, settings):
    """Otherwise whoever has many addresses had as many tries."""
    settings.AUTHZ_SIGN_IN_ATTEMPTS = 3
    for n in range(3 * FACTOR):
        assert 401 == sign_in(Client(), password="wrong", address=f"203.0.113.{n}").status_code
    assert TOO_OFTEN in sign_in(Client(), address="192.0.2.7").content.decode()
    assert 302 == sign_in(Client(), "carol@example.com", address="192.0.2.7").status_code


def test_who_is_turned_away_is_told_to_come_back_and_asks_the_database_nothing(
    cast, monkeypatch, django_assert_num_queries
):
    """Hundreds at once would otherwise hold every connection that the database has."""
    monkeypatch.setattr(sign_in_module, "GATE", Gate(1, waiting=0))  # house: another gate, with less room
    with sign_in_module.GATE.passage(1), django_assert_num_queries(0):
        answer = sign_in(Client())
    assert (503, "5") == (answer.status_code, answer["Retry-After"])
    assert "Too many people are signing in" in answer.content.decode()
    assert 302 == sign_in(Client()).status_code


@pytest.mark.django_db(transaction=True)
def test_who_waits_to_be_let_in_holds_no_connection(cast, monkeypatch):
    """The wait comes before the first query."""
    monkeypatch.setattr(sign_in_module, "GATE", Gate(1, waiting=5))  # house: another gate, with less room
    opened, made = [], BaseDatabaseWrapper.connect

    def connect(wrapper):
        opened.append(threading.current_thread().name)
        return made(wrapper)

    monkeypatch.setattr(BaseDatabaseWrapper, "connect", connect)
    found = []

    def visit():
        found.append(sign_in(Client()).status_code)
        connection.close()

    visitors = [threading.Thread(target=visit, name=f"visitor {number}") for number in range(5)]
    with sign_in_module.GATE.passage(1):
        for visitor in visitors:
            visitor.start()
        until(lambda: sign_in_module.GATE._places == 0)  # noqa: SLF001  all of them wait
        assert [] == [name for name in opened if name.startswith("visitor")]
    for visitor in visitors:
        visitor.join(HANG)
    assert [302] * 5 == found


@pytest.mark.parametrize("kept", [True, False], ids=["sealed", "nobody's"])
def test_whoever_is_turned_away_finds_the_form_again_and_the_way_back(cast, monkeypatch, kept):
    monkeypatch.setattr(sign_in_module, "GATE", Gate(0, waiting=0))  # house: itself, and full
    rd = sealed() if kept else "x" * 5000
    answer = Client().post("/login", {"email": "alice@example.com", "password": PASSWORD, "rd": rd})
    assert (503, "5") == (answer.status_code, answer["Retry-After"])
    assert (f'href="/login?rd={quote(rd)}"' if kept else 'href="/login"') in answer.content.decode()
