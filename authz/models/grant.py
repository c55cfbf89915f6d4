"""Who may do what to which server."""

from django.db import models

from authz.decisions.vocabulary import Action
from authz.models.group import Group
from authz.models.person import User
from authz.models.server import Server


class Grant(models.Model):
    """A group, or one person, may use or administer a server; there is no grant that denies."""

    class Actions(models.TextChoices):
        """The actions of `authz.decisions.vocabulary.Action`, with their labels."""

        USE = Action.USE.value, "use"
        ADMINISTER = Action.ADMINISTER.value, "administer (includes use)"

    group = models.ForeignKey(
        Group, on_delete=models.CASCADE, null=True, blank=True, related_name="grants", help_text="Either a group …"
    )
    person = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="grants",
        help_text="… or one person or service account.",
    )
    action = models.CharField(max_length=20, choices=Actions.choices, default=Actions.USE)
    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="grants")
    tools = models.JSONField(
        null=True, blank=True, help_text="Names or patterns with *, one per line; empty means every tool."
    )
    until = models.DateTimeField(
        null=True, blank=True, help_text="The instant at which it ends by itself; empty means never."
    )
    networks = models.JSONField(
        default=list, blank=True, help_text="Networks it holds from, such as 10.0.0.0/8, one per line; empty means any."
    )
    reason = models.CharField(max_length=300, blank=True, default="", help_text="Why; whoever reviews this will ask.")
    given_by = models.CharField(max_length=254, editable=False)
    given_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(group__isnull=True) ^ models.Q(person__isnull=True),
                name="either_a_group_or_a_person",
                violation_error_message="Name either a group or a person, not both.",
            ),
        )

    def __str__(self) -> str:
        """Return the grant in words."""
        return f"{self.group or self.person} may {self.action} {self.server}"
