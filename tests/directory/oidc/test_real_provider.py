"""A whole portal and a real, certified provider: in, refreshed, out, and told of it; with a browser as well."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.patience import HANG, eventually
from tests.peers.browser import assert_accessible
from tests.peers.openid import CLIENT, SECRET, OpenId
from tests.peers.portal import Portal

if TYPE_CHECKING:
    from playwright.sync_api import Page

PROXY = "a proxy's shared secret"
MOVE_IN = """
from audit.context import Actor
from authz.changes import proxies, sources
by = Actor.command("tests")
proxies.trust(name="nginx", secret={proxy!r}, by=by)
sources.add(name="okta", kind="oidc", title="Okta", secret={secret!r}, by=by, settings={settings!r})
"""
LATER = """
from datetime import timedelta
from django.utils import timezone
from authz.directory.oidc.recheck import recheck
print("ended", recheck(timezone.now() + timedelta(minutes=16)))
"""
DUE = """
from django.utils import timezone
from authz.models import ProviderSession
ProviderSession.objects.update(check_at=timezone.now())
"""
TRIED = """
from authz.directory.oidc.tried import tried
from authz.models import Source
print(tried(Source.objects.get()))
"""


@dataclass
class Whole:
    """A portal, its provider, and somebody's browser."""

    portal: Portal
    url: str
    provider: OpenId
    browser: httpx.Client

    def sign_in(self, login: str) -> httpx.Response:
        """Press the button, sign in there, come back, and return what the portal says."""
        there = self.browser.get(f"{self.url}/oidc/okta/begin")
        back = self.provider.signs_in(self.browser, there.headers["Location"], login)
        return self.browser.get(back)

    def status_at_the_proxy(self, cookie: str) -> int:
        """Return what a reverse proxy is told of a session."""
        headers = {"Cookie": f"gatehouse={cookie}", "X-Proxy-Secret": PROXY}
        return httpx.get(f"{self.url}/auth/validate", headers=headers, timeout=HANG).status_code

    def who(self) -> dict[str, Any]:
        """Return what the tables know of sessions and people."""
        code = """
import json
from authz.models import Membership, ProviderSession, User
print(json.dumps({
    "people": list(User.objects.values_list("email", "source")),
    "groups": list(Membership.objects.values_list("group__name", flat=True)),
    "ended": list(ProviderSession.objects.values_list("session__ended_because", flat=True)),
    "sids": [bool(held.sid) for held in ProviderSession.objects.all()],
}))
"""
        return dict(json.loads(self.portal.manage("shell", "--no-imports", "-c", code).stdout))


@pytest.fixture
def whole(portal, openid) -> Any:
    """Start both, and make them known to each other."""
    here = portal()
    served = here.serve("serve", "--port", "{port}", "--no-sequencer", ready="/readyz")
    provider = openid(served.url)
    settings = {
        "issuer": provider.issuer,
        "client_id": CLIENT,
        "scopes": ["openid", "profile", "email", "groups", "offline_access"],
        "extra_parameters": {"prompt": "consent"},
    }
    code = MOVE_IN.format(proxy=PROXY, secret=SECRET, settings=settings)
    here.manage("shell", "--no-imports", "-c", code)
    with httpx.Client(timeout=HANG) as browser:
        yield Whole(here, served.url, provider, browser)


def test_in_and_out_by_a_real_provider(whole):
    """She signs in; her session opens the proxy; she signs out here, is led there, and both have ended."""
    answer = whole.sign_in("alice")
    assert (302, "/") == (answer.status_code, answer.headers["Location"])
    cookie = whole.browser.cookies["gatehouse"]
    assert 200 == whole.status_at_the_proxy(cookie)
    known = whole.who()
    assert [["alice@example.com", "oidc:okta"]] == known["people"]
    assert (["interns"], [True]) == (known["groups"], known["sids"])

    home = whole.browser.get(f"{whole.url}/logout")
    token = home.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    out = whole.browser.post(f"{whole.url}/logout", data={"csrfmiddlewaretoken": token})
    eventually(lambda: whole.status_at_the_proxy(cookie), 401)
    there = out.text.partition('content="0; url=')[2].partition('"')[0].replace("&amp;", "&")
    asked = parse_qs(urlsplit(there).query)
    assert [f"{whole.url}/oidc/okta/signed-out"] == asked["post_logout_redirect_uri"]
    back = whole.provider.signs_out(whole.browser, there)
    assert asked["state"] == parse_qs(urlsplit(back).query)["state"]
    assert "Here and at Okta." in whole.browser.get(back).text
    assert ["signed out"] == whole.who()["ended"]


def test_signed_out_there_is_signed_out_here_and_disconnected(whole):
    """The provider says so by back-channel; the proxy refuses and the socket closes, with no request of hers."""
    whole.sign_in("alice")
    cookie = whole.browser.cookies["gatehouse"]
    headers = {"Cookie": f"gatehouse={cookie}"}
    url = f"{whole.url.replace('http', 'ws')}/ws/rpc"
    how: dict[str, Any] = {"additional_headers": headers, "origin": whole.url}
    with connect(url, **how, open_timeout=HANG, ping_interval=None) as socket:
        assert 200 == whole.status_at_the_proxy(cookie)
        whole.provider.signs_out(whole.browser, f"{whole.provider.issuer}/session/end")
        eventually(lambda: whole.status_at_the_proxy(cookie), 401)
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=HANG)
        assert socket.close_code is not None
        assert 4000 <= socket.close_code < 5000
    assert ["signed out at oidc:okta"] == whole.who()["ended"]


def test_a_leaver_is_out_at_the_next_check(whole):
    whole.sign_in("alice")
    cookie = whole.browser.cookies["gatehouse"]
    for _ in range(2):  # each time with the refresh token of the time before
        assert "ended 0" in whole.portal.manage("shell", "--no-imports", "-c", LATER).stdout
        whole.portal.manage("shell", "--no-imports", "-c", DUE)
    whole.provider.disable("alice")
    assert "ended 1" in whole.portal.manage("shell", "--no-imports", "-c", LATER).stdout
    eventually(lambda: whole.status_at_the_proxy(cookie), 401)


def test_an_e_mail_that_was_never_verified_lets_nobody_in(whole):
    """Mallory says that she is Alice."""
    answer = whole.sign_in("mallory")
    assert 403 == answer.status_code
    assert "not verified" in answer.text
    assert [] == whole.who()["people"]


def test_the_test_button_finds_nothing_wrong_with_it(whole):
    said = whole.portal.manage("shell", "--no-imports", "-c", TRIED).stdout
    assert "fine=False" not in said
    assert "they are accepted" in said


@pytest.mark.peer("Chromium")
def test_in_and_out_in_a_browser(page: "Page", whole):
    """Button, provider, home; sign out, provider, the page that says so: all within the pages' own content policy."""
    page.goto(f"{whole.url}/login")
    assert_accessible(page)
    page.get_by_role("link", name="Sign in with Okta").click()
    page.get_by_placeholder("Enter any login").fill("alice")
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{whole.url}/")
    assert page.get_by_text("alice@example.com").is_visible()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{whole.provider.issuer}/session/end**")
    page.get_by_role("button", name="Yes, sign me out").click()
    page.wait_for_url(f"{whole.url}/oidc/okta/signed-out**")
    assert page.get_by_text("Here and at Okta.").is_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Sign in again").click()
    page.goto(f"{whole.url}/oidc/okta/callback?code=x&state=y")
    assert page.get_by_role("alert").is_visible()
    assert_accessible(page)
