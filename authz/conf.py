"""What the rooms read of the settings: keys by purpose, and the few that every request asks for."""

import hmac

from django.conf import settings
from django.core.signals import setting_changed


def signing_key(purpose: str) -> bytes:
    """Return a key for one purpose, derived from SECRET_KEY."""
    return hmac.digest(settings.SECRET_KEY.encode(), b"gatehouse:" + purpose.encode(), "sha256")


def socket_origins() -> frozenset[str]:
    """Return the origins (RFC 6454), in lower case, whose pages may open WebSockets to servers with a cookie."""
    return _origins(settings.PORTAL_URL, *settings.AUTHZ_SOCKET_ORIGINS)


def rpc_origins() -> frozenset[str]:
    """Return the origins, in lower case, whose pages may speak JSON-RPC with a cookie."""
    return _origins(settings.PORTAL_URL, *settings.AUTHZ_SOCKET_RPC_ORIGINS)


def own_origin() -> frozenset[str]:
    """Return the portal's own origin, in lower case; none if it has no address."""
    return _origins(settings.PORTAL_URL)


def _origins(*named: str) -> frozenset[str]:
    # No empty one, whatever is not set: a request that names no origin comes from no page.
    return frozenset(origin for each in named if (origin := each.lower().rstrip("/")))


class Hot:
    """Settings that the hot path reads as plain attributes; Django's lazy object costs half a microsecond."""

    def read(self, **_: object) -> None:
        """Read them again."""
        self.cookie: str = settings.AUTHZ_COOKIE_NAME
        self.staleness: float = settings.AUTHZ_STALENESS_LIMIT
        self.signed: float = settings.AUTHZ_ASSERTION_LIFETIME / 4 if settings.AUTHZ_ASSERTION_KEY else float("inf")
        """Seconds for which an answer may be given again: a quarter of its signature's life, if it has one."""


hot = Hot()
hot.read()
setting_changed.connect(hot.read, dispatch_uid="authz.hot")  # only a test changes a setting while we run
