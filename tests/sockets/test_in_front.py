"""nginx in front, and a browser: what a client sees is the same."""

import json
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from tests.acts import PASSWORD, SECRET
from tests.patience import HANG
from tests.peers.portal import Served
from tests.sockets.live import ENV, House, connected, ended, is_alive
from tests.sockets.upstream import application as an_application

SHIPPED = Path(__file__).resolve().parents[2] / "docker" / "nginx.conf"
BOTH_GATES = f"""
map $http_upgrade $connection_upgrade {{ default upgrade; "" ""; }}
server {{
  listen 127.0.0.1:@PORT@;
  server_name chat.example.com;
  proxy_http_version 1.1;
  location = /_ask {{
    internal;
    proxy_pass EDGE/auth/validate;
    proxy_pass_request_body off;
    proxy_set_header Content-Length "";
    proxy_set_header X-Original-URL $scheme://$server_name$request_uri;
    proxy_set_header X-Proxy-Secret "{SECRET}";
    proxy_set_header X-Real-IP $remote_addr;
  }}
  location /search/ {{
    auth_request /_ask;
    proxy_pass PORTAL/ws/search/;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_set_header X-Proxy-Secret "{SECRET}";
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
  }}
}}
"""


@pytest.fixture
def application():
    with an_application() as made:
        yield made


@pytest.fixture
def here(portal, application):
    made = House(portal(database="sqlite"))
    made.do("relay", "search", {"upstream": application.url})
    yield made
    made.stop()


@pytest.mark.peer("nginx")
def test_a_handshake_passes_both_gates_or_neither(here, nginx):
    edge, portal = here.edge(env=ENV), here.serve()
    front = Served(nginx(BOTH_GATES.replace("EDGE", edge.url).replace("PORTAL", portal.url)), portal.process)
    with connected(front, "/search/room", **here.browser("alice")) as client:
        client.send("who am I?")
        told = json.loads(client.recv(timeout=HANG))
        assert ("alice@example.com", "127.0.0.1") == (told["headers"]["x-user-email"], told["headers"]["x-real-ip"] if
        "x-real-ip" in told["headers"] else told["headers"]["x-forwarded-for"])  # fmt: skip
        for name, status in (("mallory", 403), ("nobody", 401)):
            how = here.browser(name) if name in here.sessions else {}
            with pytest.raises(InvalidStatus) as caught:
                connected(front, "/search/room", **how).__enter__()
            assert status == caught.value.response.status_code
        assert is_alive(client)
        here.do("suspend", "alice")
        assert (4001, "revoked") == ended(client)


@pytest.mark.peer("nginx")
def test_the_shipped_configuration_carries_live_connections(here, nginx):
    portal = here.serve(
        PORTAL_URL="http://portal.example.com", ALLOWED_HOSTS="portal.example.com,chat.example.com,127.0.0.1"
    )
    url = nginx(SHIPPED.read_text(), replace={
        "listen 80;": "listen 127.0.0.1:@PORT@;",
        "portal:8000": portal.url.removeprefix("http://"),
        "edge:8001": portal.url.removeprefix("http://"),
        "chat:8000": "127.0.0.1:9",
        "CHANGE-ME-proxy-secret": SECRET,
        "CHANGE-ME-chat-secret": "what the application is shown",
    })  # fmt: skip
    front = Served(url, portal.process)
    with connected(front, "/ws/search/room", **here.browser("alice"), host="chat.example.com") as client:
        assert is_alive(client)
        here.do("leave", "alice", "interns")
        assert (4004, "not-allowed") == ended(client)


LISTEN = """
(address) => new Promise((told) => {
  window.said = []; window.ended = null;
  const socket = new WebSocket(address);
  window.socket = socket;
  socket.onopen = () => told("open");
  socket.onerror = () => told("refused");
  socket.onmessage = (message) => window.said.push(message.data);
  socket.onclose = (end) => { window.ended = [end.code, end.reason]; };
})
"""


@pytest.mark.peer("Chromium")
def test_a_page_in_a_browser_is_carried_with_its_cookie_and_told_its_end(here, page):
    portal = here.serve()
    page.goto(f"{portal.url}/login")
    page.get_by_label("E-mail").fill("alice@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{portal.url}/")
    address = portal.url.replace("http", "ws")
    assert "refused" == page.evaluate(LISTEN, f"{address}/ws/crm")
    assert "open" == page.evaluate(LISTEN, f"{address}/ws/search/room")
    page.evaluate("() => window.socket.send('hello from a page')")
    page.wait_for_function("() => window.said.length > 0")
    assert ["hello from a page"] == page.evaluate("() => window.said")
    here.do("suspend", "alice")
    page.wait_for_function("() => window.ended !== null")
    assert [4001, "revoked"] == page.evaluate("() => window.ended")


@pytest.mark.peer("Chromium")
def test_a_page_of_a_stranger_cannot_use_the_cookie(here, page, process):
    portal = here.serve()
    page.goto(f"{portal.url}/login")
    page.get_by_label("E-mail").fill("alice@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{portal.url}/")
    page.route(
        "http://stranger.localhost/",
        lambda route: route.fulfill(body="<!doctype html><title>x</title>", content_type="text/html"),
    )
    page.goto("http://stranger.localhost/")
    assert "refused" == page.evaluate(LISTEN, f"{portal.url.replace('http', 'ws')}/ws/search")
