"""Registers the project as an app, for its system checks, and the administration in place of Django's own."""

from django.apps import AppConfig
from django.contrib.admin import apps as django_admin


class PortalConfig(AppConfig):
    """The project itself."""

    default = True
    name = "portal"

    def ready(self) -> None:
        """Register the checks."""
        from portal import checks  # noqa: F401, PLC0415  registering is what importing does


class AdministrationConfig(django_admin.AdminConfig):
    """Django's admin with our door and our screens."""

    default = False
    default_site = "authz.admin.site.Site"

    def ready(self) -> None:
        """Register the screens, which are not found by themselves: the door must stand before any of them."""
        super().ready()
        from authz.admin import screens  # noqa: F401, PLC0415  registering is what importing does
