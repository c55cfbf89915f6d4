"""Who may administer gets in; everybody else is told why not, at every address."""

import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group as DjangoGroup
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from authz.changes import grants
from authz.changes.administrators import make_administrator
from authz.conf import signing_key
from authz.formats import return_address
from authz.models import Server, User
from tests.admin.cast import BY, PASSWORD
from tests.admin.screen import Screen

FILLED = re.compile(r"<path:\w+>|\(\?P<\w+>[^)]*\)")
"""What a pattern leaves open."""


def addresses() -> list[str]:
    """Return a path for every pattern under /admin/, however deep."""
    found = []

    def walk(patterns, path):
        for each in patterns:
            text = path + str(each.pattern).strip("^$").replace(r"\Z", "")
            if isinstance(each, URLResolver):
                walk(each.url_patterns, text)
            else:
                found.append("/" + FILLED.sub(lambda hole: "1" if hole[0][0] == "<" else "authz", text))

    for each in get_resolver().url_patterns:
        if isinstance(each, URLResolver) and str(each.pattern) == "admin/":
            walk(each.url_patterns, "admin/")
    return found


def test_every_address_is_known():
    found = addresses()

    assert 70 < len(found)
    assert {"/admin/", "/admin/authz/user/1/suspend/", "/admin/autocomplete/", "/admin/audit/entry/"} <= set(found)
    assert not [path for path in found if "<" in path or "(" in path]


@pytest.mark.parametrize("method", ["get", "post"])
def test_mallory_and_strangers_reach_nothing(mallory, carol, signed_in, method):
    browser = signed_in(mallory)
    for path in addresses():
        if path in {"/admin/login/", "/admin/logout/"}:
            continue
        refused = getattr(browser, method)(path)
        assert (403, False) == (refused.status_code, b"/admin/authz" in refused.content), path
        strange = getattr(Client(), method)(path)
        assert (302, "/login") == (strange.status_code, urlsplit(strange["Location"]).path), path


def test_mallory_is_told_who_she_is_and_is_not_sent_round_in_circles(mallory, carol, signed_in):
    answer = signed_in(mallory).get("/admin/")

    assert 403 == answer.status_code
    assert b"mallory@example.com" in answer.content
    assert "no-store" in answer["Cache-Control"]


def test_signing_in_leads_back_to_the_page_that_was_asked_for(carol):
    browser = Client()
    to = browser.get("/admin/authz/user/?q=alice&state=active")["Location"]
    rd = parse_qs(urlsplit(to).query)["rd"][0]

    answer = browser.post("/login", {"email": "carol@example.com", "password": PASSWORD, "rd": rd})

    assert f"{settings.PORTAL_URL}/admin/authz/user/?q=alice&state=active" == answer["Location"]
    assert 200 == browser.get("/admin/authz/user/?q=alice&state=active").status_code


def test_a_path_that_looks_like_another_host_stays_here():
    to = Client().get("/admin//evil.example.com/?x=%0d%0aX:y")["Location"]
    sealed = return_address.read(parse_qs(urlsplit(to).query)["rd"][0], key=signing_key("return"), now=time.time())

    assert str(sealed).startswith(f"{settings.PORTAL_URL}/admin/")
    assert "\n" not in str(sealed)


def test_djangos_own_login_logout_and_password_pages_are_not_there(screen, carol):
    assert "/login" == urlsplit(Client().get("/admin/login/", {"next": "https://evil.example.com"})["Location"]).path
    assert "/logout" == screen.client.get("/admin/logout/")["Location"]
    assert f"/admin/authz/user/{carol.pk}/password/" == screen.client.get("/admin/password_change/")["Location"]


def test_a_person_may_administer_by_a_grant_of_their_own_and_only_for_as_long(alice, bob, carol, signed_in):
    portal = Server.objects.get(kind="portal")
    grant = grants.give(person=alice, server=portal, action="administer", by=BY)
    grants.give(person=bob, server=portal, action="use", by=BY)
    browser = signed_in(alice)

    assert [200, 403] == [browser.get("/admin/").status_code, signed_in(bob).get("/admin/").status_code]
    grants.remove(grant, by=BY)
    assert 403 == browser.get("/admin/").status_code


def test_djangos_own_groups_and_history_are_not_used(screen, carol):
    Screen(screen.client).send("authz_user", "change", carol.pk, name="Carol C")

    assert not admin.site.is_registered(DjangoGroup)
    assert 0 == LogEntry.objects.count()


def test_the_overview_is_in_the_order_of_the_menu(screen):
    answer = screen.client.get("/admin/")
    names = [model["object_name"] for app in answer.context["app_list"] for model in app["models"]]

    assert [
        "User",
        "Group",
        "Membership",
        "Server",
        "Grant",
        "ApiKey",
        "Session",
        "Connection",
        "Source",
        "Run",
        "Issuer",
        "Proxy",
        "Entry",
    ] == names


def test_history_leads_to_the_book(screen, alice):
    to = screen.get("authz_user", "history", alice.pk)["Location"]

    assert {"q": ['"alice@example.com"']} == parse_qs(urlsplit(to).query)
    assert b"person.created" in screen.client.get(to).content


def test_what_is_not_there_is_said(screen):
    for page in ("change", "delete", "history", "suspend", "password"):
        assert 404 != screen.get("authz_user", page, 999).status_code
    assert reverse("admin:index") == screen.get("authz_user", "change", 999)["Location"]


def test_an_administrator_who_is_suspended_is_out(screen, carol, alice):
    make_administrator(alice, by=BY)
    answer = screen.client.post(f"/admin/authz/user/{carol.pk}/suspend/", {"_sure": "1", "reason": ""})

    assert 302 == answer.status_code
    assert not User.objects.get(pk=carol.pk).is_active
    assert 302 == screen.client.get("/admin/").status_code
