"""Registers the app, its first rows after a migration, and that a process follows its own changes at once."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuthzConfig(AppConfig):
    """People, groups, servers, grants, and what follows from them."""

    name = "authz"
    label = "authz"
    verbose_name = "Access"

    def ready(self) -> None:
        """Listen; nothing depends on the second, it only saves the wait for the next poll."""
        from authz.changes.beginnings import begin  # noqa: PLC0415  models are loaded only now
        from authz.lookups.current import CURRENT  # noqa: PLC0415
        from authz.signals import changed  # noqa: PLC0415

        def follow(**_: object) -> None:
            if CURRENT.kept:
                CURRENT.look()

        post_migrate.connect(lambda **_: begin(), sender=self, weak=False, dispatch_uid="authz.begin")
        changed.connect(follow, weak=False, dispatch_uid="authz.follow")
