"""What must be true before anything is served to others."""

from django.conf import settings
from django.core.management.base import CommandError

from authz.models import Proxy


def refuse_unsafe_start(host: str) -> None:
    """Raise CommandError if nobody could be served rightly; the settings themselves are checked by portal.checks."""
    if settings.LOCAL:
        if host not in {"127.0.0.1", "localhost", "::1"}:
            message = f"PORTAL_MODE=local serves this machine alone, not {host}; set PORTAL_MODE=production"
            raise CommandError(message)
        return
    if not Proxy.objects.filter(enabled=True).exists():
        message = (
            "No proxy is trusted, so every request it forwards would be refused. Register it first:\n"
            "  manage.py trust_proxy nginx --network 10.0.0.5/32 --secret-file /run/secrets/proxy"
        )
        raise CommandError(message)
