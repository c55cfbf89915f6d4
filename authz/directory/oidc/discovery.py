"""What a provider publishes about itself (OpenID Connect Discovery 1.0 §4), fetched, checked and remembered."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authz.changes.issuers import is_safe_address
from authz.directory.oidc import asked
from authz.errors import DirectoryFailed
from authz.formats.claims import is_true

log = logging.getLogger(__name__)

FRESH = 3600.0
"""Seconds after which it is fetched again."""
OLDEST = 86_400.0
"""Seconds for which what was fetched last is still used while the provider does not answer."""
SPACING = 30.0
"""Seconds between two attempts at a provider that does not answer; whoever comes meanwhile is told the same."""
SUPPORTED_AUTH = ("client_secret_basic", "client_secret_post")
"""How we can prove to be the client (Core 1.0 §9); the first that the provider takes is used."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What of it we use."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    end_session_endpoint: str
    auth_method: str
    announces_iss: bool
    """Whether every authorization response carries `iss` (RFC 9207 §3)."""
    said: Mapping[str, Any]
    """All of it, for `tried`."""


def address_of(issuer: str) -> str:
    """Return where an issuer publishes it: a slash at the issuer's end is left out (Discovery 1.0 §4.1)."""
    return f"{issuer.removesuffix('/')}/.well-known/openid-configuration"


def fetch(issuer: str) -> Metadata:
    """Fetch it now; DirectoryFailed says what is wrong."""
    url = address_of(issuer)
    answer = asked.get(url)
    if answer.status != 200:  # noqa: PLR2004  OK
        message = f"{url} answered {answer.status}"
        raise DirectoryFailed(message)
    return parse(answer.json(url), issuer=issuer)


def parse(said: Mapping[str, Any], *, issuer: str) -> Metadata:
    """Return what of it we use; DirectoryFailed if it is another issuer's, or lacks or hides what we need."""
    # Character by character (Discovery 1.0 §4.3): a document that may name another issuer could impersonate it.
    if said.get("issuer") != issuer:
        message = f"the provider calls itself {said.get('issuer')!r}, and not {issuer!r}; enter what it calls itself"
        raise DirectoryFailed(message)
    addresses = {}
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"):
        url = said.get(name, "") or ""
        if not url and name in {"userinfo_endpoint", "end_session_endpoint"}:
            addresses[name] = ""
        elif not isinstance(url, str) or not is_safe_address(url) or "#" in url:
            message = (
                f"the provider's {name} is {url!r}, which is not an https address" if url else f"no {name} is told"
            )
            raise DirectoryFailed(message)
        elif url.startswith("http:") and issuer.startswith("https:"):
            message = f"the provider's {name} is {url!r}, on the machine of whoever asks"
            raise DirectoryFailed(message)
        else:
            addresses[name] = url
    # What is missing means client_secret_basic alone (Discovery 1.0 §3).
    taken = texts(said, "token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    method = next((each for each in SUPPORTED_AUTH if each in taken), "")
    if not method:
        message = f"the provider takes neither {' nor '.join(SUPPORTED_AUTH)}, but {', '.join(taken)}"
        raise DirectoryFailed(message)
    announces = is_true(said.get("authorization_response_iss_parameter_supported"))
    return Metadata(issuer=issuer, auth_method=method, announces_iss=announces, said=said, **addresses)


def texts(said: Mapping[str, Any], name: str) -> list[str]:
    """Return a list of texts of it, empty if it is missing or malformed."""
    value = said.get(name)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


@dataclass
class _Held:
    metadata: Metadata
    fetched_at: float
    tried_at: float


class Discovered:
    """Remembers what each issuer publishes."""

    def __init__(self) -> None:
        """Begin without any."""
        self._held: dict[str, _Held] = {}
        self._failed: dict[str, tuple[str, float]] = {}
        self._fetching: dict[str, threading.Lock] = {}

    def of(self, issuer: str, at: float) -> Metadata:
        """Return what an issuer publishes, at most a day old; DirectoryFailed if it cannot be had."""
        if (held := self._fresh(issuer, at)) is not None:
            return held.metadata
        # One fetches; whoever needs the same meanwhile waits for it.
        with self._fetching.setdefault(issuer, threading.Lock()):
            if (held := self._fresh(issuer, at)) is not None:
                return held.metadata
            # Else all who waited would wait for it in vain, one after the other.
            if (failed := self._failed.get(issuer)) is not None and at - failed[1] < SPACING:
                raise DirectoryFailed(failed[0])
            try:
                metadata = fetch(issuer)
            except DirectoryFailed as error:
                held = self._held.get(issuer)
                if held is None or at - held.fetched_at >= OLDEST:
                    self._failed[issuer] = str(error), at
                    raise
                log.warning("oidc.discovery_failed", extra={"issuer": issuer, "error": str(error)})
                held.tried_at = at
                return held.metadata
            self._held[issuer] = _Held(metadata, at, at)
            self._failed.pop(issuer, None)
            return metadata

    def _fresh(self, issuer: str, at: float) -> _Held | None:
        held = self._held.get(issuer)
        if held is None or at - held.fetched_at >= OLDEST:
            return None
        return held if at - held.fetched_at < FRESH or at - held.tried_at < SPACING else None

    def forget(self, issuer: str) -> None:
        """Fetch it anew when it is needed next."""
        self._held.pop(issuer, None)
        self._failed.pop(issuer, None)


DISCOVERED = Discovered()
