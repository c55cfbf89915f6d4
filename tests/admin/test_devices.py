"""A session's device is said in a few words."""

import pytest

from authz.admin.devices import described

LIKE = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        (f"Mozilla/5.0 (X11; Linux x86_64) {LIKE} Chrome/126.0 Safari/537.36", "Chrome on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {LIKE} Chrome/126.0 Safari/537.36 Edg/126.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14.5; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox on macOS"),
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {LIKE} Version/17.5 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (f"Mozilla/5.0 (Linux; Android 14) {LIKE} Chrome/126.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.7.1", "curl/8.7.1"),
        ("x" * 100, "x" * 59 + "…"),
        ("", ""),
    ],
)
def test_what_a_browser_says_of_itself_is_shortened(device, expected):
    assert expected == described(device)
