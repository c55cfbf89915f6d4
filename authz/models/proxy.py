"""Reverse proxies whose word we take."""

from django.db import models


class Proxy(models.Model):
    """A proxy that may say which URL a request was for, and from which address it came."""

    name = models.CharField(max_length=100, unique=True)
    secret = models.CharField("hash of the shared secret", max_length=64, blank=True, default="", editable=False)
    networks = models.JSONField(
        default=list,
        blank=True,
        help_text="Networks it connects from, such as 10.1.0.0/16, one per line; if there is a secret, both must hold.",
    )
    enabled = models.BooleanField(default=True, help_text="Switched off, what it forwards is refused.")

    class Meta:
        verbose_name = "trusted proxy"
        verbose_name_plural = "trusted proxies"
        ordering = ("name",)

    def __str__(self) -> str:
        """Return the name."""
        return self.name
