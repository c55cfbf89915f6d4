"""Says in a few words which browser on which system a User-Agent header claims to be."""

from typing import Final

MOST: Final = 60
BROWSERS: Final = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
"""What each browser calls itself; most of them call themselves by the names further down as well."""
SYSTEMS: Final = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


def described(device: str) -> str:
    """Return such as "Firefox on Windows", or the beginning of what is not a browser we know."""
    browser = next((name for mark, name in BROWSERS.items() if mark in device), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in device), "")
    if browser and system:
        return f"{browser} on {system}"
    return device if len(device) <= MOST else f"{device[: MOST - 1]}…"
