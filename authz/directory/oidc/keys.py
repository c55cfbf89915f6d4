"""The public keys of providers (RFC 7517), fetched and remembered, and fetched again for a key that is new."""

import logging
import threading
from dataclasses import dataclass
from typing import Any

from authz.directory.oidc import asked
from authz.errors import DirectoryFailed, InvalidName
from authz.formats.jwk_sets import parse_jwk_set

log = logging.getLogger(__name__)

FRESH = 3600.0
"""Seconds after which keys are fetched again, so that one that was withdrawn is forgotten."""
OLDEST = 86_400.0
"""Seconds for which the last ones are still good while the provider does not answer."""
SPACING = 30.0
"""Seconds between two fetches for a signature that no known key fits, however many forgeries come meanwhile."""


@dataclass
class _Held:
    keys: list[dict[str, Any]]
    fetched_at: float
    tried_at: float
    searched_at: float
    """When keys were last fetched because none fitted."""


class ProviderKeys:
    """Holds the keys behind each address."""

    def __init__(self) -> None:
        """Begin without keys."""
        self._held: dict[str, _Held] = {}
        self._failed: dict[str, tuple[str, float]] = {}
        self._fetching: dict[str, threading.Lock] = {}

    def of(self, url: str, at: float) -> list[dict[str, Any]]:
        """Return the keys, at most an hour old if the provider answers; DirectoryFailed if there are none."""
        held = self._held.get(url)
        if held is not None and at - held.fetched_at < FRESH:
            return held.keys  # without waiting for anybody who searches for another key
        with self._alone(url):
            held = self._held.get(url)
            if held is None or at - held.fetched_at >= OLDEST:
                self._held[url] = held = self._first(url, at)
            elif at - held.fetched_at >= FRESH and at - held.tried_at >= SPACING:
                self._again(url, held, at)
            return held.keys

    def searched(self, url: str, at: float, *, tried: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
        """Return newer keys than those of which none fits; None if there are none, or we looked a moment ago."""
        with self._alone(url):
            held = self._held.get(url)
            if held is None:
                return None
            if held.keys is not tried:
                return held.keys  # somebody else has fetched them meanwhile
            if at - held.searched_at < SPACING:
                return None
            held.searched_at = at
            return held.keys if self._again(url, held, at) else None

    def _first(self, url: str, at: float) -> _Held:
        """Fetch keys where there are none to use; a failure is told again to whoever asks soon after."""
        if (failed := self._failed.get(url)) is not None and at - failed[1] < SPACING:
            raise DirectoryFailed(failed[0])
        try:
            held = _Held(fetch(url), at, at, float("-inf"))
        except DirectoryFailed as error:
            self._failed[url] = str(error), at
            raise
        self._failed.pop(url, None)
        return held

    def _again(self, url: str, held: _Held, at: float) -> bool:
        held.tried_at = at
        try:
            held.keys, held.fetched_at = fetch(url), at
        except DirectoryFailed as error:
            log.warning("oidc.keys_not_fetched", extra={"url": url, "error": str(error)})
            return False
        return True

    def _alone(self, url: str) -> threading.Lock:
        """Return what the one who fetches holds; whoever needs the same keys meanwhile waits and does not fetch."""
        return self._fetching.setdefault(url, threading.Lock())


def fetch(url: str) -> list[dict[str, Any]]:
    """Fetch the keys of an address now; DirectoryFailed says what is wrong."""
    answer = asked.get(url, headers={"Accept": "application/jwk-set+json, application/json"})
    if answer.status != 200:  # noqa: PLR2004  OK
        message = f"{url} answered {answer.status}"
        raise DirectoryFailed(message)
    try:
        return parse_jwk_set(answer.text)["keys"]
    except InvalidName as error:
        message = f"{url}: {error}"
        raise DirectoryFailed(message) from error


KEYS = ProviderKeys()
