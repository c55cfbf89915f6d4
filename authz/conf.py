"""What the rooms read of the settings, each by one name."""

import hmac

from django.conf import settings


def signing_key(purpose: str) -> bytes:
    """Return a key for one purpose, derived from SECRET_KEY."""
    return hmac.digest(settings.SECRET_KEY.encode(), b"gatehouse:" + purpose.encode(), "sha256")
