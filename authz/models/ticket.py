"""Tickets, by which a browser opens one WebSocket without a header of its own."""

from django.db import models

from authz.models.person import User
from authz.models.server import Server


class Ticket(models.Model):
    """One ticket, not yet used; kept is its hash."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    credential = models.CharField(max_length=40, help_text="What was shown for it, and what the connection rests on.")
    server = models.ForeignKey(Server, on_delete=models.CASCADE, null=True, related_name="+")
    origin = models.CharField(max_length=300)
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        """Return whose it is."""
        return f"ticket of {self.person}"
