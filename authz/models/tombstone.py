"""What is left of a suspended person who was deleted while their directory had them."""

from django.db import models

from authz.models.source import Source


class Tombstone(models.Model):
    """Keeps somebody suspended whom a directory brings back."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="tombstones", verbose_name="directory")
    external_id = models.CharField(max_length=255)
    email = models.CharField(max_length=254)
    reason = models.CharField(max_length=300, blank=True, default="")
    removed_by = models.CharField(max_length=254)
    removed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("source", "external_id"), name="one_tombstone_per_external_id"),)
        indexes = (models.Index(fields=("source", "email"), name="tombstone_by_email"),)

    def __str__(self) -> str:
        """Return whose it is."""
        return f"{self.email} of {self.source}, deleted while suspended"
