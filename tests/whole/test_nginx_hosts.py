"""Which server is judged follows from the nginx configuration, and never from what a client writes."""

import pytest

from tests.acts import SECRET
from tests.installation import fetch
from tests.whole.test_nginx import shared

pytestmark = pytest.mark.peer("nginx")

ELSEWHERE = """
from audit.context import Actor
from authz.changes import grants, groups, memberships, people, servers
from authz.models import Group, User
by = Actor.system("test")
guests = groups.create(name="guests", by=by)
memberships.give(person=User.objects.get(email="mallory@example.com"), group=guests, by=by)
for name, host in (("notes", "mcp.example.com"), ("wiki", "chat.example.com:8443"), ("spare", "spare.example.org")):
    server = servers.create(name=name, by=by)
    servers.add_route(server, host=host, prefix="/notes", by=by)
    grants.give(server=server, group=guests, by=by)
"""
"""Three servers that Mallory may use; none of them is what nginx serves as chat.example.com."""


@pytest.fixture(scope="module")
def gate(shared_portal, shared_nginx):
    for made in shared(shared_portal, shared_nginx):
        made.here.portal.manage("shell", "-c", ELSEWHERE)
        yield made


@pytest.fixture(autouse=True)
def nothing_has_come(gate):
    yield
    gate.echo.forget()


def judged(gate, host):
    """Return what the edge itself says of a host."""
    said = {"X-Proxy-Secret": SECRET, "X-Original-URL": f"http://{host}/notes/any", "X-Original-Method": "GET"}
    return fetch(f"{gate.edge.url}/auth/validate", headers=said | gate.here.bearer("mallory")).status


def got(gate, line, *headers, name="mallory"):
    """Return the first line of what comes back for a request line, or nothing if nginx hangs up."""
    key = gate.here.keys[name]
    lines = (line, *headers, f"Authorization: Bearer {key}", "Connection: close")
    # Without a half-closed connection: nginx takes that for a client who left, and answers nobody.
    return gate.raw(("\r\n".join(lines) + "\r\n\r\n").encode(), until=b"\r\n").partition(b"\r\n")[0].decode()


def test_a_grant_on_one_host_opens_no_other(gate):
    """Mallory names a server that she may use, in the hope that the chat UI answers."""
    for host in ("mcp.example.com", "chat.example.com:8443", "spare.example.org"):
        assert 200 == judged(gate, host), host
    assert 403 == judged(gate, "chat.example.com")

    silence, refused = "", "HTTP/1.1 403 Forbidden"
    for line, host, expected in (
        ("GET /notes/any HTTP/1.1", "mcp.example.com", silence),
        ("GET /notes/any HTTP/1.1", "MCP.example.com.", silence),
        ("GET /notes/any HTTP/1.1", "mcp.example.com:80", silence),
        ("GET /notes/any HTTP/1.1", "spare.example.org", silence),
        ("GET /notes/any HTTP/1.1", "127.0.0.1", silence),
        ("GET /notes/any HTTP/1.1", "_", silence),
        ("GET http://mcp.example.com/notes/any HTTP/1.1", "mcp.example.com", silence),
        ("GET http://mcp.example.com/notes/any HTTP/1.1", "chat.example.com", silence),
        ("GET http://chat.example.com/notes/any HTTP/1.1", "mcp.example.com", "HTTP/1.1 400 Bad Request"),
        ("GET /notes/any HTTP/1.1", "chat.example.com:8443", refused),
        ("GET /notes/any HTTP/1.1", "CHAT.example.com.:8443", refused),
        ("GET http://chat.example.com:8443/notes/any HTTP/1.1", "chat.example.com:8443", refused),
        ("GET /notes/any HTTP/1.1", "chat.example.com", refused),
    ):
        assert expected == got(gate, line, f"Host: {host}"), (line, host)
    assert silence == got(gate, "GET /notes/any HTTP/1.0")
    for more in ("X-Forwarded-Host: mcp.example.com", "X-Original-URL: http://mcp.example.com/notes/any",
                 "Forwarded: host=mcp.example.com", "X-Forwarded-Port: 8443"):  # fmt: skip
        assert refused == got(gate, "GET /notes/any HTTP/1.1", "Host: chat.example.com", more), more
    assert [] == gate.echo.seen


def test_whoever_may_use_the_chat_is_judged_by_its_own_name(gate):
    """The port that a client writes opens nothing and closes nothing."""
    for host in ("chat.example.com", "chat.example.com:8443", "Chat.Example.COM"):
        assert "HTTP/1.1 200 OK" == got(gate, "GET /search/x HTTP/1.1", f"Host: {host}", name="alice"), host


def test_a_header_that_comes_twice_is_served_as_it_was_judged(gate):
    """An application that took the second name would run a tool that nobody judged."""
    said = ("Host: chat.example.com", "MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/call", "Content-Length: 0")
    key = f"Authorization: Bearer {gate.here.keys['alice']}"
    for names in (("get_issue", "create_issue"), ("create_issue", "get_issue")):
        lines = ("POST /search/x HTTP/1.1", *said, *(f"Mcp-Name: {each}" for each in names), key, "Connection: close")
        answer = gate.raw(("\r\n".join(lines) + "\r\n\r\n").encode(), until=b"]]}").decode()
        assert answer.startswith("HTTP/1.1 200")
        assert 1 == answer.lower().count('"mcp-name"'), answer
