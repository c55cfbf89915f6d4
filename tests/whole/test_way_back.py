"""After signing in, a browser is led back to the application it came from, on another host."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from playwright.sync_api import Page

from tests.peers.portal import PortalFactory
from tests.peers.serving import Serving

SEALED = """
from time import time
from authz.conf import signing_key
from authz.formats import return_address
print(return_address.make({url!r}, key=signing_key("return"), expires=int(time()) + 600))
"""
PASSWORD = "a quiet harbour at dawn"


class Hello(BaseHTTPRequestHandler):
    """An application."""

    def do_GET(self) -> None:
        """Say hello."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><html lang=en><title>Chat</title><h1>Hello from the chat</h1>")

    def log_message(self, *_: object) -> None:
        """Say nothing of it."""


@pytest.fixture
def application() -> Iterator[str]:
    """Run an application on a host of its own: to a browser, localhost is another than 127.0.0.1."""
    with Serving(Hello) as server:
        yield f"http://localhost:{server.port}/room?a=1"


def test_a_browser_gets_back_to_another_host(portal: PortalFactory, page: Page, application: str) -> None:
    """The policy of the login page allows this one redirect."""
    here = portal(database="sqlite")
    server = here.serve("serve", "--port", "{port}", ready="/readyz")
    here.manage("create_administrator", "carol@example.com", env={"NEW_PASSWORD": PASSWORD})
    rd = here.manage("shell", "-c", SEALED.format(url=application)).stdout.splitlines()[-1]
    page.goto(f"{server.url}/login?rd={rd}")
    page.get_by_label("E-mail").fill("carol@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(application)
    assert "Hello from the chat" == page.get_by_role("heading").inner_text()
