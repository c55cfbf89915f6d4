"""The clients in docs/sockets.md do what its table says, on every way in which a connection ends."""

import asyncio
import re
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.acts import PASSWORD
from tests.patience import HANG, until
from tests.sockets.live import House
from tests.sockets.upstream import application as an_application

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "sockets.md").read_text()
EXAMPLES = dict(re.findall(r"^```(python|javascript)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture
def here(portal):
    with an_application() as application:
        made = House(portal(database="sqlite"))
        for server in ("search", "crm"):
            made.do("relay", server, {"upstream": application.url})
        yield made
        made.stop()


@pytest.fixture
def client():
    """Return a function that starts a client; each ends with the test."""
    made = []

    def begin(url, shown):
        made.append(Client(url, shown))
        return made[-1]

    yield begin
    for each in made:
        each.stop()


class Client:
    """The example in Python, kept up in a thread; what it was given and how it ended is seen from outside."""

    def __init__(self, url, shown):
        self.opened = 0
        self.asked = []
        self.code = None
        self._shown = list(shown)
        names: dict[str, Any] = {}
        exec(compile(EXAMPLES["python"], "docs/sockets.md", "exec"), names)  # noqa: S102  our own page
        self._loop = asyncio.new_event_loop()
        self._staying = self._loop.create_task(self._stay(names["stay_connected"], url))
        self._thread = threading.Thread(target=self._run, name="client")
        self._thread.start()

    async def _stay(self, stay_connected, url):
        async def credential(fresh):
            self.asked.append(fresh)
            if fresh:
                self._shown.pop(0)
            return self._shown[0] if self._shown else None

        async def hear(socket):
            self.opened += 1
            async for _ in socket:
                pass

        self.code = await stay_connected(url, credential, hear)

    def _run(self):
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._staying)
        self._loop.close()

    def is_open(self, times):
        """Wait until it has connected so many times."""
        until(lambda: self.opened >= times)

    def is_over(self):
        """Wait until it gave up, and return why."""
        self._thread.join(HANG)
        assert not self._thread.is_alive()
        return self.code

    def stop(self):
        """End it, if it goes on."""
        with suppress(RuntimeError):  # its loop is closed: it gave up by itself
            self._loop.call_soon_threadsafe(self._staying.cancel)
        self.is_over()


def test_the_client_in_python_follows_the_table(here, client):
    portal = here.serve(AUTHZ_SOCKET_MAX_LIFETIME="5", AUTHZ_SOCKET_NOTICE="1")
    url = portal.url.replace("http", "ws") + "/ws/search"
    bob = client(url, [here.keys["bob"]])
    assert 403 == bob.is_over()

    alice = client(url, [here.keys["alice"]])
    alice.is_open(1)
    alice.is_open(2)  # after five seconds its life was over, and it came back at once
    here.do("leave", "alice", "interns")
    assert alice.is_over() in {4004, 403}

    bob = client(url.replace("search", "crm"), [here.keys["bob"]])
    bob.is_open(1)
    here.do("revoke_keys", "bob")
    assert 401 == bob.is_over()  # it asked for a fresh key, and there was none
    assert bob.asked[-1] is True


def test_the_client_in_python_comes_back_after_a_restart(here, client):
    portal = here.serve()
    port = portal.url.rpartition(":")[2]
    alice = client(portal.url.replace("http", "ws") + "/ws/search", [here.keys["alice"]])
    alice.is_open(1)
    assert 0 == portal.stop()
    here.portal.start("serve", "--port", port, "--no-sequencer", env={"PORTAL_URL": portal.url})
    alice.is_open(2)


@pytest.mark.peer("Chromium")
def test_the_client_in_a_page_follows_the_table(here, page):
    portal = here.serve(AUTHZ_SOCKET_MAX_LIFETIME="5", AUTHZ_SOCKET_NOTICE="1")
    page.goto(f"{portal.url}/login")
    page.get_by_label("E-mail").fill("alice@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{portal.url}/")
    address = portal.url.replace("http", "ws") + "/ws/search"
    page.evaluate(
        """([code, address]) => {
          window.heard = 0; window.over = null;
          const native = window.WebSocket;
          window.WebSocket = class extends native {
            constructor(to) { super(to); this.addEventListener("open", () => { window.heard += 1; }); }
          };
          new Function("address", "wanted", code + "; stayConnected(address, wanted);")(address, {
            hear: () => {}, signIn: () => { window.over = "sign in"; }, givenUp: (end) => { window.over = end; },
          });
        }""",
        [EXAMPLES["javascript"], address],
    )
    page.wait_for_function("() => window.heard >= 1")
    page.wait_for_function("() => window.heard >= 2")  # its life was over, and it came back at once
    here.do("end_sessions", "alice")
    page.wait_for_function("() => window.over !== null")
    assert "sign in" == page.evaluate("() => window.over")
