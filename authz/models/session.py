"""Sign-ins."""

from django.db import models

from authz.models.person import User


class Session(models.Model):
    """One sign-in on one device; kept is the hash of its cookie."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    device = models.CharField(max_length=300, blank=True, default="")
    address = models.CharField(max_length=45, blank=True, default="")
    started_at = models.DateTimeField("started")
    until = models.DateTimeField("ends at the latest")
    idle = models.PositiveIntegerField("idle limit", help_text="Seconds without a request after which it ends.")
    seen_at = models.DateTimeField("last seen", db_index=True)
    ended_at = models.DateTimeField("ended", null=True, blank=True)
    ended_because = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        ordering = ("-started_at",)

    def __str__(self) -> str:
        """Return whose session it is and since when."""
        return f"{self.person} since {self.started_at:%Y-%m-%d %H:%M}"
