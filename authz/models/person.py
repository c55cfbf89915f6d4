"""People and service accounts."""

import uuid
from collections.abc import Iterable
from typing import ClassVar

from django.contrib.auth import get_backends
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from authz.decisions.names import lowered


class UserManager(BaseUserManager["User"]):
    """Looks people up by the spelling that is stored."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the person with this e-mail address, in any case."""
        return self.get(email=lowered(username or ""))


class User(AbstractBaseUser):
    """A person, or a service account, known by an e-mail address."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.CharField(
        "e-mail",
        max_length=254,
        unique=True,
        help_text="The name they sign in with. Upper and lower case do not matter.",
    )
    name = models.CharField(max_length=200, blank=True, help_text="How they are shown to others.")
    is_active = models.BooleanField(
        "active", default=True, help_text="Somebody who is not active is refused everywhere, at once."
    )
    is_human = models.BooleanField(
        "is a person",
        default=True,
        help_text="A service account is not a person: it cannot sign in, and is not in the group of everyone.",
    )
    source = models.CharField(
        max_length=100, default="local", help_text="The directory that owns the name, the e-mail and the active flag."
    )
    external_id = models.CharField(
        max_length=255, blank=True, default="", help_text="How that directory calls them, for ever."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    hung_up = models.BigIntegerField(
        null=True, editable=False, help_text="By which revision all their connections were."
    )

    last_login = None  # each sign-in is a Session; Django's own field would be a second truth

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        ordering = ("email",)
        constraints = (
            models.UniqueConstraint(
                fields=("source", "external_id"), condition=~models.Q(external_id=""), name="one_person_per_external_id"
            ),
        )

    def __str__(self) -> str:
        """Return the e-mail address."""
        return self.email

    @property
    def is_staff(self) -> bool:
        """Whether the administration opens for them: a decision like any other."""
        return self.has_perm("authz.administer")

    def has_perm(self, permission: str, thing: models.Model | None = None) -> bool:
        """Ask the authentication backends, of which ours asks `decide`; Django's own permissions are not used."""
        return any(backend.has_perm(self, permission, thing) for backend in get_backends())

    def has_perms(self, permissions: Iterable[str], thing: models.Model | None = None) -> bool:
        """Answer for several at once."""
        return all(self.has_perm(permission, thing) for permission in permissions)

    def has_module_perms(self, app: str) -> bool:
        """Answer for a whole app."""
        return self.has_perm(f"{app}.administer")
