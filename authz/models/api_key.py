"""API keys of people and service accounts."""

from django.db import models

from authz.models.person import User


class ApiKey(models.Model):
    """A key whose text was shown once; kept is its hash."""

    person = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="api_keys", help_text="Whose key it is: it can do nothing more."
    )
    name = models.CharField(max_length=100, help_text="What it is for, such as nightly report.")
    prefix = models.CharField(max_length=20, unique=True, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list, help_text="What the key is limited to.")
    created_at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField("expires", null=True, blank=True, help_text="Empty means never.")
    last_used_at = models.DateTimeField("last used", null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField("revoked", null=True, blank=True, editable=False)
    rotated_to = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="rotated_from"
    )

    class Meta:
        verbose_name = "API key"
        ordering = ("-created_at",)

    def __str__(self) -> str:
        """Return the readable part."""
        return f"{self.prefix}… ({self.name})"
