"""Registers the project as an app, for its system checks."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The project itself."""

    name = "portal"

    def ready(self) -> None:
        """Register the checks."""
        from portal import checks  # noqa: F401, PLC0415  registering is what importing does
