"""A second, independent provider: Keycloak signs somebody in, renews, tells of the end, and of a leaver."""

import html
import re

import httpx

from tests.directory.oidc.test_real_provider import DUE, LATER, MOVE_IN, PROXY, TRIED
from tests.patience import HANG, eventually
from tests.peers.keycloak import CLIENT, PASSWORD, SECRET


class Loopback(httpx.HTTPTransport):
    """Takes loopback for secure, as browsers do: Keycloak's cookies demand it."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        pairs = [(name, value.replace(";Secure", "")) for name, value in answer.headers.multi_items()]
        answer.headers = httpx.Headers(pairs)
        return answer


def a_browser() -> httpx.Client:
    """Return a browser of Alice's."""
    return httpx.Client(timeout=HANG, transport=Loopback())


def sign_in(browser: httpx.Client, url: str) -> httpx.Response:
    """Press the button, fill in Keycloak's form, and return what the portal says to what comes of it."""
    there = browser.get(f"{url}/oidc/keycloak/begin")
    page = browser.get(there.headers["Location"])
    action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
    assert action is not None, page.text
    back = browser.post(html.unescape(action[1]), data={"username": "alice", "password": PASSWORD})
    assert back.headers.get("Location", "").startswith(url), back.text
    return browser.get(back.headers["Location"])


def test_in_renewed_ended_there_and_left(portal, keycloak):
    here = portal()
    url = here.serve("serve", "--port", "{port}", "--no-sequencer", ready="/readyz").url
    provider = keycloak(url)
    settings = {"issuer": provider.issuer, "client_id": CLIENT}
    shell = ("shell", "--no-imports", "-c")
    move_in = MOVE_IN.format(proxy=PROXY, secret=SECRET, settings=settings).replace("okta", "keycloak")
    here.manage(*shell, move_in)
    assert "fine=False" not in here.manage(*shell, TRIED).stdout

    def at_the_proxy(browser: httpx.Client) -> tuple[int, str]:
        headers = {"Cookie": f"gatehouse={browser.cookies['gatehouse']}", "X-Proxy-Secret": PROXY}
        answer = httpx.get(f"{url}/auth/validate", headers=headers, timeout=HANG)
        return answer.status_code, answer.headers.get("X-User-Groups", "")

    with a_browser() as laptop, a_browser() as phone:
        for browser in (laptop, phone):
            answer = sign_in(browser, url)
            assert (302, "/") == (answer.status_code, answer.headers["Location"]), answer.text
            assert (200, True) == (at_the_proxy(browser)[0], "interns" in at_the_proxy(browser)[1])

        here.manage(*shell, DUE)
        assert "ended 0" in here.manage(*shell, LATER).stdout

        ends = next(each["id"] for each in provider.do("GET", f"/test/users/{provider.alice()}/sessions"))
        provider.do("DELETE", f"/test/sessions/{ends}")
        eventually(lambda: sorted(at_the_proxy(browser)[0] for browser in (laptop, phone)), [200, 401])

        left = next(browser for browser in (laptop, phone) if at_the_proxy(browser)[0] == 200)
        provider.do("PUT", f"/test/users/{provider.alice()}", {"enabled": False})
        here.manage(*shell, DUE)
        assert "ended 1" in here.manage(*shell, LATER).stdout
        eventually(lambda: at_the_proxy(left)[0], 401)
