"""The public keys of issuers and providers (RFC 7517), behind their addresses."""

from typing import Any, Final

from django.conf import settings

from authz.errors import InvalidName, OutboundFailed
from authz.formats.jwk_sets import parse_jwk_set
from authz.outbound import http
from authz.outbound.remembered import Remembered

Keys = list[dict[str, Any]]
ACCEPT: Final = "application/jwk-set+json, application/json"
OK: Final = 200


def fetch(url: str) -> Keys:
    """Fetch the keys of an address now; OutboundFailed says what is wrong."""
    answer = http.get(url, headers={"Accept": ACCEPT})
    if answer.status != OK:
        message = f"{url} answered {answer.status}"
        raise OutboundFailed(message)
    try:
        keys: Keys = parse_jwk_set(answer.text)["keys"]
    except InvalidName as error:
        message = f"{url}: {error}"
        raise OutboundFailed(message) from error
    return keys


KEY_SETS: Final = Remembered(fetch, oldest=lambda: settings.AUTHZ_KEYS_MAX_AGE, what="keys")
