"""One provider as it is now: its settings, what it publishes, and our secret with it."""

import time
from dataclasses import dataclass

from django.conf import settings as django_settings

from authz.changes.sources import secret_of
from authz.directory.oidc.discovery import DISCOVERED, Metadata
from authz.errors import BadCredential, DirectoryFailed, InvalidName, NoSuchThing
from authz.formats.sources import OidcSettings, read
from authz.models import Source


@dataclass(frozen=True, slots=True)
class Provider:
    """What every step of a sign-in needs to know."""

    source: Source
    settings: OidcSettings
    metadata: Metadata
    secret: str

    @property
    def title(self) -> str:
        """What people call it."""
        return title_of(self.source)

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends a browser back to."""
        return address_of(self.source, "callback")


def enabled() -> list[Source]:
    """Return the providers by which people may sign in."""
    return list(Source.objects.filter(kind=Source.OIDC, enabled=True))


def named(name: str) -> Source:
    """Return an enabled provider; NoSuchThing, whether it is unknown or switched off."""
    source = Source.objects.filter(kind=Source.OIDC, enabled=True, name=name).first()
    if source is None:
        message = "nobody signs in by this address"
        raise NoSuchThing(message)
    return source


def provider_of(source: Source, at: float | None = None) -> Provider:
    """Return a provider as it is now; DirectoryFailed says why it cannot be used, also where that is our own doing."""
    try:
        settings, secret = read(OidcSettings, source.settings), secret_of(source)
    except (InvalidName, BadCredential) as error:
        message = f"{source} cannot be used as it is set up here: {error}"
        raise DirectoryFailed(message) from error
    return Provider(source, settings, DISCOVERED.of(settings.issuer, time.time() if at is None else at), secret)


def title_of(source: Source) -> str:
    """Return what people call a provider."""
    return source.title or source.name


def address_of(source: Source, what: str) -> str:
    """Return an address of ours that a provider is told: callback, signed-out, backchannel-logout."""
    return f"{django_settings.PORTAL_URL}/oidc/{source.name}/{what}"
