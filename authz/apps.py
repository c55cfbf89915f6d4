"""Registers the app, and lets the World of this process follow its own changes at once."""

from django.apps import AppConfig


class AuthzConfig(AppConfig):
    """People, groups, servers, grants, and what follows from them."""

    name = "authz"
    label = "authz"
    verbose_name = "Access"

    def ready(self) -> None:
        """Listen to our own changes: nothing depends on it, it only saves the wait for the next poll."""
        from authz.lookups.current import CURRENT  # noqa: PLC0415  models are loaded only now
        from authz.signals import changed  # noqa: PLC0415

        def follow(**_: object) -> None:
            if CURRENT.kept:
                CURRENT.look()

        changed.connect(follow, weak=False, dispatch_uid="authz.follow")
