"""The default, everything in one process, answers what the edge answers."""

import http.client
from urllib.parse import urlsplit

import pytest

from tests.patience import HANG
from tests.peers.portal import PortalFactory, Served
from tests.whole.edge import SEARCH, SECRET, organise
from tests.whole.test_revocation import JWKS

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def ask(server: Served, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    """Send one request on a connection of its own; return the status and the headers by their small names."""
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=HANG)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    found = {name.lower(): value for name, value in answer.getheaders()}
    connection.close()
    return answer.status, found


@pytest.mark.parametrize("role", ["serve", "serve_edge"])
def test_a_question_about_a_handshake_is_answered_as_a_question(portal: PortalFactory, role: str) -> None:
    """A proxy may copy Upgrade into its question: it gets a status and the identity headers, never a WebSocket."""
    here = portal()
    shown = organise(here, "alice", "mallory", jwks=JWKS).shown
    server = here.serve(role, "--port", "{port}", ready="/readyz")
    asked = {"X-Original-URL": SEARCH, "X-Original-Method": "GET", "X-Proxy-Secret": SECRET, **HANDSHAKE}
    expected = {"alice": 200, "mallory": 403, "nobody": 401}
    for name, status in expected.items():
        cookie = {"Cookie": f"gatehouse={shown[name]['session']}"} if name in shown else {}
        found, headers = ask(server, "/auth/validate", asked | cookie)
        assert status == found, name
        assert ("alice@example.com" if status == 200 else "") == headers["x-user-email"]
    assert 404 == ask(server, "/nothing", HANDSHAKE)[0]
