"""An upstream has one spelling, and cannot be read in two ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.errors import InvalidName
from authz.formats.upstreams import parse_upstream

UPSTREAMS = {
    "": "",
    "  ": "",
    "ws://chat:8000/ws": "ws://chat:8000/ws",
    " WS://Chat.Example.COM./Ws ": "ws://chat.example.com/Ws",
    "ws://chat:80/ws": "ws://chat/ws",
    "ws://chat:443": "ws://chat:443",
    "wss://chat:443/": "wss://chat",
    "wss://chat:08443/a/b/": "wss://chat:8443/a/b/",
    "ws://[::1]:8000/ws": "ws://[::1]:8000/ws",
    "ws://[0:0::1]:80": "ws://[::1]",
    "wss://[2001:DB8::80]": "wss://[2001:db8::80]",
    "wss://bücher.example/x": "wss://xn--bcher-kva.example/x",
    "ws://127.0.0.1:9000/a..b/.hidden/~c": "ws://127.0.0.1:9000/a..b/.hidden/~c",
    "ws://chat/@all": "ws://chat/@all",
}


@pytest.mark.parametrize(("typed", "stored"), UPSTREAMS.items(), ids=UPSTREAMS)
def test_an_upstream_is_stored_in_one_spelling(typed, stored):
    assert stored == parse_upstream(typed)
    assert stored == parse_upstream(stored)


WRONG = {
    "http://chat:8000/ws": "write ws:// instead of http://",
    "HTTPS://chat/ws": "write wss:// instead of https://",
    "ftp://chat": "write it like ws://chat:8000/ws",
    "chat:8000/ws": "not the address of a WebSocket",
    "//chat/ws": "not the address of a WebSocket",
    "ws:chat": "not the address of a WebSocket",
    "ws://": "not the address of a WebSocket",
    "ws:///ws": "not the address of a WebSocket",
    "ws://:8000": "does not name a host",
    "ws://*/ws": "does not name a host",
    "ws://chat:0": "does not name a host",
    "ws://chat:65536": "does not name a host",
    "ws://chat:ws": "does not name a host",
    "ws://::1": "does not name a host",
    "ws://a_b..c": "does not name a host",
    "ws://carol@chat": "a user name or a password",
    "ws://carol:secret@chat/ws": "a user name or a password",
    "ws://chat/ws?room=1": "a query",
    "ws://chat/ws#top": "a fragment",
    "ws://chat\\ws": "a backslash",
    "ws://chat/%2e%2e/ws": "a percent-encoding",
    "ws://chat/../ws": "read in several ways",
    "ws://chat/./ws": "read in several ways",
    "ws://chat/..": "read in several ways",
    "ws://chat//ws": "read in several ways",
    "ws://chat/ws//": "read in several ways",
    "ws://chat/ä": "read in several ways",
    "ws://chat/a b": "holds a space",
    "ws://chat/a\r\nX: y": "holds a space",
    "ws://ch\u200bat/": "cannot be shown",
    "ws://chat/\x00": "cannot be shown",
    f"ws://chat/{'a' * 500}": "at most 500",
}


@pytest.mark.parametrize(("typed", "said"), WRONG.items(), ids=map(ascii, WRONG))
def test_what_is_no_upstream_is_refused_with_the_reason(typed, said):
    with pytest.raises(InvalidName, match=said.replace("?", r"\?")):
        parse_upstream(typed)


@given(st.from_regex(r"wss?://[a-z0-9.:@\[\]*-]{1,12}[/a-z.%?#\\ ]{0,12}", fullmatch=True))
def test_what_is_stored_once_is_stored_for_ever(text):
    try:
        stored = parse_upstream(text)
    except InvalidName:
        return
    assert stored == parse_upstream(stored)
    assert not set(stored) & set("@?#\\% *") or "@" in stored.partition("//")[2].partition("/")[2]
