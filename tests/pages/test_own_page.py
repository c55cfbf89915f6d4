"""Home shows one's own: what one may use, one's groups, one's sessions; and lets one end them."""

import pytest
from django.test import Client

from authz.changes import grants, groups, memberships, servers
from authz.models import Server, Session
from tests.pages.cast import BY


def test_a_stranger_is_led_to_the_login_page(cast):
    for path in ("/", "/sessions/1/end"):
        answer = Client().get(path) if path == "/" else Client().post(path)
        assert (302, "/login") == (answer.status_code, answer["Location"])


def test_home_shows_what_one_may_use_and_nothing_else(cast):
    engineering = groups.create(name="engineering", by=BY)
    memberships.give(person=cast.alice, group=engineering, by=BY)
    for name in ("search", "payroll"):
        servers.create(name=name, by=BY)
    grants.give(group=engineering, server=Server.objects.get(name="search"), by=BY)
    page = cast.signed_in(cast.alice).get("/").content.decode()
    assert "search" in page
    assert "engineering" in page
    assert "payroll" not in page
    assert "/admin/" not in page
    assert "Nothing yet." in cast.signed_in(cast.mallory).get("/").content.decode()
    assert "/admin/" in cast.signed_in(cast.carol).get("/").content.decode()


def test_a_name_is_text_and_no_script(cast):
    page = cast.signed_in(cast.mallory).get("/")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.content.decode()
    assert "<script>alert" not in page.content.decode()
    assert "no-store" in page["Cache-Control"]


def test_one_ends_a_session_of_one_s_own(cast):
    here, there = cast.signed_in(cast.alice), cast.signed_in(cast.alice)
    first, last = Session.objects.filter(person=cast.alice).order_by("pk")
    assert 302 == here.post(f"/sessions/{last.pk}/end").status_code
    assert (200, 302) == (here.get("/").status_code, there.get("/").status_code)
    last.refresh_from_db()
    assert "ended by its owner" == last.ended_because
    first.refresh_from_db()
    assert first.ended_at is None


def test_one_ends_nobody_else_s_session(cast):
    cast.signed_in(cast.carol)
    hers = Session.objects.get(person=cast.carol)
    for browser, expected in ((cast.signed_in(cast.mallory), 404), (Client(), 302)):
        assert expected == browser.post(f"/sessions/{hers.pk}/end").status_code
        hers.refresh_from_db()
        assert hers.ended_at is None
    assert 404 == cast.signed_in(cast.mallory).post("/sessions/999999/end").status_code


def test_nothing_is_ended_by_following_a_link_or_from_elsewhere(cast):
    browser = cast.signed_in(cast.alice, enforce_csrf_checks=True)
    own = Session.objects.get(person=cast.alice)
    assert 405 == browser.get(f"/sessions/{own.pk}/end").status_code
    assert 403 == browser.post(f"/sessions/{own.pk}/end").status_code
    assert 403 == browser.post("/logout").status_code
    assert 200 == browser.get("/logout").status_code
    own.refresh_from_db()
    assert own.ended_at is None


def test_signing_out_ends_the_session_itself_and_not_only_the_cookie(cast):
    """Keycloak CVE-2025-12390 and Pomerium's 1279: the session lived on after logout."""
    browser = cast.signed_in(cast.alice)
    token = browser.cookies["gatehouse"].value
    answer = browser.post("/logout")
    assert (302, "/login", "") == (answer.status_code, answer["Location"], answer.cookies["gatehouse"].value)
    other = Client()
    other.cookies["gatehouse"] = token
    assert 302 == other.get("/").status_code
    assert "signed out" == Session.objects.get(person=cast.alice).ended_because


@pytest.mark.parametrize("where", ["https://evil.com", "//evil.com", "/\\evil.com"])
def test_signing_out_leads_to_the_login_page_and_nowhere_else(cast, where):
    """Authelia CVE-2021-29456."""
    for browser in (cast.signed_in(cast.alice), Client()):
        answer = browser.post(f"/logout?rd={where}&next={where}", {"rd": where, "next": where})
        assert (302, "/login") == (answer.status_code, answer["Location"])


@pytest.mark.parametrize("token", ["", "x", "\x01", "a.b.c", "é"])
def test_a_cookie_that_is_none_is_a_stranger_s(cast, token):
    browser = Client()
    browser.cookies["gatehouse"] = token
    for path in ("/", "/login", "/logout"):
        assert browser.get(path).status_code in {200, 302}
