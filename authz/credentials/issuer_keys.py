"""The public keys of trusted issuers: pasted, or fetched and remembered."""

import json
import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

import httpx

from authz.decisions.facts import IssuerIs
from authz.errors import InvalidName
from authz.formats.jwk_sets import parse_jwk_set

log = logging.getLogger(__name__)

SPACING = 30.0
"""Seconds between two fetches from one issuer, however many unknown keys are named meanwhile."""
OLDEST = 3600.0
"""Seconds after which fetched keys are fetched again, so that a key that was withdrawn is forgotten."""
PATIENCE = 5.0
"""Seconds a fetch may take, however slowly the answer drips."""
LARGEST = 512 * 1024
"""Bytes of a JWK set."""


@dataclass
class _Held:
    keys: list[dict[str, Any]]
    generation: int
    fetched_at: float
    tried_at: float


class IssuerKeys:
    """Holds the keys of each issuer; a change of the issuer's settings begins anew."""

    def __init__(self) -> None:
        """Begin without keys."""
        self._held: dict[IssuerIs, _Held] = {}
        self._fetching: dict[IssuerIs, threading.Lock] = {}
        """Held by the one who fetches; whoever needs the same keys meanwhile waits for it and does not fetch."""
        self._generation = 0

    def of(self, issuer: IssuerIs) -> tuple[list[dict[str, Any]], int]:
        """Return the keys known now, and a number that changes whenever they do."""
        held = self._held.get(issuer)
        if held is None and issuer.jwks:
            held = self._hold(issuer, json.loads(issuer.jwks)["keys"], at=0.0)
        return (held.keys, held.generation) if held else ([], 0)

    def may_fetch(self, issuer: IssuerIs, at: float) -> bool:
        """Return whether it is worth asking the issuer for its keys, or waiting for whoever does, now."""
        if not issuer.jwks_url:
            return False
        return issuer in self._fetching or self._is_due(issuer, at)

    def _is_due(self, issuer: IssuerIs, at: float) -> bool:
        held = self._held.get(issuer)
        return held is None or at - held.tried_at >= SPACING

    def stale(self, issuer: IssuerIs, at: float) -> bool:
        """Return whether fetched keys are so old that they should be fetched again."""
        held = self._held.get(issuer)
        return bool(issuer.jwks_url) and held is not None and at - held.fetched_at >= OLDEST

    def fetch(self, issuer: IssuerIs, at: float) -> None:
        """Ask the issuer for its keys; if it does not answer well, the old ones stay, and tokens they fit."""
        with self._fetching.setdefault(issuer, threading.Lock()):
            try:
                if self._is_due(issuer, at):
                    self._fetch(issuer, at)
            finally:
                self._fetching.pop(issuer, None)

    def _fetch(self, issuer: IssuerIs, at: float) -> None:
        held = self._held.get(issuer)
        if held is None:
            held = self._hold(issuer, [], at=at)
        held.tried_at = at
        try:
            keys = parse_jwk_set(_download(issuer.jwks_url))["keys"]
        except (httpx.HTTPError, httpx.InvalidURL, InvalidName, ValueError) as error:
            log.warning("issuer.keys_not_fetched", extra={"issuer": issuer.issuer, "error": str(error)})
            return
        self._hold(issuer, keys, at=at)

    def _hold(self, issuer: IssuerIs, keys: list[dict[str, Any]], *, at: float) -> _Held:
        self._generation += 1
        held = self._held[issuer] = _Held(keys, self._generation, at, at)
        for other in [other for other in list(self._held) if other.number == issuer.number and other != issuer]:
            self._held.pop(other, None)
        return held


def _download(url: str) -> str:
    """Return a JWK set; redirects are not followed, for they would let the issuer's host choose another."""
    ends = time.monotonic() + PATIENCE
    accept = {"Accept": "application/json"}
    with httpx.stream("GET", url, timeout=PATIENCE, follow_redirects=False, headers=accept) as answer:
        if answer.status_code != httpx.codes.OK:
            message = f"{url} answered {answer.status_code}"
            raise ValueError(message)
        body = b""
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > LARGEST:
                message = f"{url} sent more than {LARGEST} bytes"
                raise ValueError(message)
            if time.monotonic() > ends:
                message = f"{url} took longer than {PATIENCE:g} s"
                raise ValueError(message)
    return body.decode("utf-8")


KEYS = IssuerKeys()
