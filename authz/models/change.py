"""The revision, and the log of changes by which every process keeps its World current."""

from django.db import models


class Revision(models.Model):
    """The one row whose number goes up with every change; whoever holds its lock is the one writer."""

    n = models.BigIntegerField(default=0)
    mark = models.CharField(max_length=16, default="", help_text="Drawn at random for each revision.")
    epoch = models.CharField(max_length=8)

    def __str__(self) -> str:
        """Return the revision as it travels."""
        return f"{self.epoch}.{self.n}"


class Change(models.Model):
    """What changed at one revision, as a JSON array of facts (`authz.decisions.facts`)."""

    revision = models.BigIntegerField(primary_key=True)
    mark = models.CharField(max_length=16)
    at = models.DateTimeField(auto_now_add=True)
    facts = models.TextField()

    def __str__(self) -> str:
        """Return its revision."""
        return f"change {self.revision}"
