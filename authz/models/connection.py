"""Live connections, as their processes last told, and the processes themselves."""

from django.db import models

from authz.models.person import User
from authz.models.server import Server


class SocketProcess(models.Model):
    """A process that holds connections; one that has not been heard of for a while is gone, and they with it."""

    name = models.CharField(max_length=120, primary_key=True)
    seen_at = models.DateTimeField("last heard of", db_index=True)

    def __str__(self) -> str:
        """Return its name."""
        return self.name


class Connection(models.Model):
    """One live connection; the row goes when the connection does."""

    id = models.CharField(max_length=32, primary_key=True)
    process = models.CharField(max_length=120, db_index=True)
    kind = models.CharField(max_length=10)
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="connections")
    server = models.ForeignKey(Server, on_delete=models.CASCADE, null=True, related_name="connections")
    credential = models.CharField(max_length=40, help_text="The kind and number of what was shown at the handshake.")
    address = models.CharField(max_length=45, blank=True, default="")
    origin = models.CharField(max_length=300, blank=True, default="")
    opened_at = models.DateTimeField("open since", db_index=True)
    ends_at = models.DateTimeField("ends at the latest")
    ends_because = models.CharField(max_length=40)
    received = models.BigIntegerField("bytes received", default=0)
    sent = models.BigIntegerField("bytes sent", default=0)
    hung_up = models.BigIntegerField("hung up by revision", null=True, blank=True)

    class Meta:
        ordering = ("-opened_at", "id")

    def __str__(self) -> str:
        """Return whose it is and where it leads."""
        return f"{self.person} to {self.server or self.kind}"
