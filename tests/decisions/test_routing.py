"""Which server a URL leads to."""

import pytest

from authz.decisions import facts as f
from authz.decisions.applied import applied
from authz.decisions.routing import is_mcp_endpoint, target_of
from authz.decisions.vocabulary import NOWHERE, Where
from authz.decisions.world import EMPTY

SEARCH, JIRA, CHAT, SPECIAL, ANYWHERE = 1, 2, 3, 4, 5


def server(number: int, name: str, *routes: tuple[str, str], mcp_path: str = "") -> f.ServerIs:
    """Return a server with these routes."""
    return f.ServerIs(number, name, "mcp", True, mcp_path, routes, ())


WORLD = applied(
    EMPTY,
    [
        server(SEARCH, "search", ("mcp.example.com", "/search")),
        server(JIRA, "jira", ("mcp.example.com", "/search/jira"), ("jira.example.com", "/"), mcp_path="mcp"),
        server(CHAT, "chat", ("chat.example.com", "/")),
        server(SPECIAL, "special", ("chat.example.com:8443", "/")),
        server(ANYWHERE, "anywhere", ("*", "/any")),
    ],
)

ROUTES = {
    "the prefix itself": ("mcp.example.com", "/search", SEARCH),
    "below the prefix": ("mcp.example.com", "/search/x/y", SEARCH),
    "with a slash at its end": ("mcp.example.com", "/search/", SEARCH),
    "the longest prefix wins": ("mcp.example.com", "/search/jira/mcp", JIRA),
    "never half a segment": ("mcp.example.com", "/searching", None),
    "never half a segment of the longer one": ("mcp.example.com", "/search/jiraffe", SEARCH),
    "nothing above the prefix": ("mcp.example.com", "/", None),
    "case matters in a path": ("mcp.example.com", "/Search", None),
    "the root covers everything": ("chat.example.com", "/a/b", CHAT),
    "another port falls to the host": ("chat.example.com:9999", "/a", CHAT),
    "a port of its own wins": ("chat.example.com:8443", "/a", SPECIAL),
    "another host": ("evil.example.com", "/search", None),
    "a suffix of a host": ("notmcp.example.com", "/search", None),
    "any host": ("evil.example.com", "/any/thing", ANYWHERE),
    "a host of its own comes before any": ("chat.example.com", "/any", CHAT),
}


@pytest.mark.parametrize(("host", "path", "expected"), ROUTES.values(), ids=ROUTES)
def test_a_url_leads_to_the_longest_prefix_of_its_host(host: str, path: str, expected: int | None) -> None:
    """Segment by segment, and to nothing at all where nothing is registered."""
    found = target_of(WORLD, host, path)
    assert (expected or 0) == found.server
    assert (Where.SERVER if expected else NOWHERE.where) == found.where


ENDPOINTS = {
    "the prefix of a server without an MCP path": (SEARCH, "mcp.example.com", "/search", True),
    "with a slash at its end": (SEARCH, "mcp.example.com", "/search/", True),
    "below it": (SEARCH, "mcp.example.com", "/search/admin", False),
    "the MCP path below the prefix": (JIRA, "jira.example.com", "/mcp", True),
    "the MCP path of its other route": (JIRA, "mcp.example.com", "/search/jira/mcp", True),
    "the prefix itself where there is an MCP path": (JIRA, "jira.example.com", "/", False),
    "the path of another host's route": (JIRA, "jira.example.com", "/search/jira/mcp", False),
}


@pytest.mark.parametrize(("number", "host", "path", "expected"), ENDPOINTS.values(), ids=ENDPOINTS)
def test_mcp_is_spoken_at_one_path_only(number: int, host: str, path: str, *, expected: bool) -> None:
    """Only there are the Mcp headers worth anything."""
    assert expected == is_mcp_endpoint(WORLD, number, host, path)
