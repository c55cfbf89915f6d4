"""An origin has the one spelling that a browser writes."""

import pytest

from authz.errors import InvalidName
from authz.formats.origins import parse_origin

ORIGINS = {
    "https://chat.example.com": "https://chat.example.com",
    " HTTPS://Chat.Example.com/ ": "https://chat.example.com",
    "https://chat.example.com:443": "https://chat.example.com",
    "http://127.0.0.1:8000": "http://127.0.0.1:8000",
    "http://chat:80": "http://chat",
    "http://chat:443": "http://chat:443",
    "https://[::1]:8443": "https://[::1]:8443",
    "app://chat": "app://chat",
}


@pytest.mark.parametrize(("typed", "stored"), ORIGINS.items(), ids=ORIGINS)
def test_an_origin_is_stored_in_one_spelling(typed, stored):
    assert stored == parse_origin(typed)
    assert stored == parse_origin(stored)


@pytest.mark.parametrize(
    "typed",
    [
        "", "null", "chat.example.com", "https://", "https://chat/room", "https://chat?x", "https://chat#x",
        "https://carol@chat", "https://chat:x", "https://chat:", "https://*", "https://a b", "https://chat\r\nX: y",
        "https://chat//", f"https://{'a' * 300}",
    ],
)  # fmt: skip
def test_what_is_no_origin_is_refused(typed):
    with pytest.raises(InvalidName, match="is not an origin"):
        parse_origin(typed)
