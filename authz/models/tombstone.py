"""What is left of a person who was deleted while they were suspended."""

from django.db import models

from authz.models.source import Source


class Tombstone(models.Model):
    """Keeps somebody suspended whom a directory brings back: the one that had them, or without one any that is.

    A directory that had them knows them by their id too; all others only by their e-mail.
    """

    source = models.ForeignKey(
        Source,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="tombstones",
        verbose_name="directory",
    )
    external_id = models.CharField(max_length=255, blank=True, default="")
    email = models.CharField(max_length=254)
    reason = models.CharField(max_length=300, blank=True, default="")
    removed_by = models.CharField(max_length=254)
    removed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("source", "external_id"), name="one_tombstone_per_external_id"),
            models.UniqueConstraint(
                fields=("email",), condition=models.Q(source=None), name="one_tombstone_per_email_of_no_source"
            ),
        )
        indexes = (models.Index(fields=("source", "email"), name="tombstone_by_email"),)

    def __str__(self) -> str:
        """Return whose it is."""
        of = f" of {self.source}" if self.source else ""
        return f"{self.email}{of}, deleted while suspended"
