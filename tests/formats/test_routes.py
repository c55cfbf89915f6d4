"""A route's host and prefix have one spelling, the one that a URL is compared with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.edge.canonical import read_url
from authz.errors import InvalidName, UnreadableUrl
from authz.formats.routes import parse_host, parse_prefix

HOSTS = {
    "chat.example.com": "chat.example.com",
    " Chat.Example.COM. ": "chat.example.com",
    "chat.example.com:8443": "chat.example.com:8443",
    "chat.example.com:08443": "chat.example.com:8443",
    "bücher.example": "xn--bcher-kva.example",
    "BÜCHER.example:81": "xn--bcher-kva.example:81",
    "192.0.2.1": "192.0.2.1",
    "[::1]": "[::1]",
    "[0:0:0:0:0:0:0:1]:8443": "[::1]:8443",
    "[2001:DB8::A]": "[2001:db8::a]",
    "localhost": "localhost",
    "localhost:": "localhost",
    "my_service": "my_service",
    "*": "*",
}


@pytest.mark.parametrize(("typed", "stored"), HOSTS.items(), ids=HOSTS)
def test_a_host_is_stored_in_one_spelling(typed, stored):
    assert stored == parse_host(typed)
    assert stored == parse_host(stored)


@pytest.mark.parametrize(
    "typed",
    [
        "", ".", "..", "a..b", "-a.com", "a-.com", "a.com:0", "a.com:65536", "a.com:²", "a.com:x", "a.com:80:81",
        "https://a.com", "a.com/b", "a.com?b", "a@b.com", "*.example.com", "a b.com", "a.com#b", "[::1", "::1",
        "[1.2.3.4]",
        "[zz::1]", f"{'a' * 64}.com", "a,b.com", "a;b.com", "a\x00b.com", "\u202ea.com",
    ],
)  # fmt: skip
def test_what_is_no_host_is_refused(typed):
    with pytest.raises(InvalidName):
        parse_host(typed)


PREFIXES = {"/": "/", "/mcp/search": "/mcp/search", " /mcp/ ": "/mcp", "/a.b/c~d": "/a.b/c~d", "/a..b": "/a..b"}


@pytest.mark.parametrize(("typed", "stored"), PREFIXES.items(), ids=PREFIXES)
def test_a_prefix_is_stored_in_one_spelling(typed, stored):
    assert stored == parse_prefix(typed)
    assert stored == parse_prefix(stored)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "mcp",
        "/a//b",
        "/a/../b",
        "/a/./b",
        "/..",
        "/...",
        "/a../b",
        "/a?b",
        "/a#b",
        "/a;b",
        "/a%2fb",
        "/a\\b",
        "/a b",
        "/ä",
        "/a\x00",
    ],
)
def test_what_is_no_prefix_is_refused(typed):
    with pytest.raises(InvalidName, match="is not a path prefix"):
        parse_prefix(typed)


@given(st.from_regex(r"[a-z0-9_.:\[\]-]{1,20}", fullmatch=True))
def test_a_url_of_a_registered_host_is_read_as_that_host(text):
    """A URL names the host as it is stored, or is refused; it never leads to a third spelling."""
    try:
        stored = parse_host(text)
        url = read_url(f"https://{stored}/")
    except (InvalidName, UnreadableUrl):
        return
    assert url.host in {stored, stored.removesuffix(":443")}
