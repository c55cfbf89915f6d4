"""What a provider publishes about itself (OpenID Connect Discovery 1.0 §4), fetched, checked and remembered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from authz.changes.issuers import is_safe_address
from authz.errors import OutboundFailed
from authz.formats.claims import is_true
from authz.outbound import http
from authz.outbound.remembered import Remembered

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
    """Fetch it now; OutboundFailed says what is wrong."""
    url = address_of(issuer)
    answer = http.get(url)
    if answer.status != 200:  # noqa: PLR2004  OK
        message = f"{url} answered {answer.status}"
        raise OutboundFailed(message)
    return parse(answer.json(url), issuer=issuer)


def parse(said: Mapping[str, Any], *, issuer: str) -> Metadata:
    """Return what of it we use; OutboundFailed if it is another issuer's, or lacks or hides what we need."""
    # Character by character (Discovery 1.0 §4.3): a document that may name another issuer could impersonate it.
    if said.get("issuer") != issuer:
        message = f"the provider calls itself {said.get('issuer')!r}, and not {issuer!r}; enter what it calls itself"
        raise OutboundFailed(message)
    addresses = {}
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"):
        url = said.get(name, "") or ""
        if not url and name in {"userinfo_endpoint", "end_session_endpoint"}:
            addresses[name] = ""
        elif not isinstance(url, str) or not is_safe_address(url) or "#" in url:
            message = (
                f"the provider's {name} is {url!r}, which is not an https address" if url else f"no {name} is told"
            )
            raise OutboundFailed(message)
        elif url.startswith("http:") and issuer.startswith("https:"):
            message = f"the provider's {name} is {url!r}, on the machine of whoever asks"
            raise OutboundFailed(message)
        else:
            addresses[name] = url
    # What is missing means client_secret_basic alone (Discovery 1.0 §3).
    taken = texts(said, "token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    method = next((each for each in SUPPORTED_AUTH if each in taken), "")
    if not method:
        message = f"the provider takes neither {' nor '.join(SUPPORTED_AUTH)}, but {', '.join(taken)}"
        raise OutboundFailed(message)
    announces = is_true(said.get("authorization_response_iss_parameter_supported"))
    return Metadata(issuer=issuer, auth_method=method, announces_iss=announces, said=said, **addresses)


def texts(said: Mapping[str, Any], name: str) -> list[str]:
    """Return a list of texts of it, empty if it is missing or malformed."""
    value = said.get(name)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


DISCOVERED: Final = Remembered(fetch, oldest=lambda: settings.AUTHZ_KEYS_MAX_AGE, what="discovery")
