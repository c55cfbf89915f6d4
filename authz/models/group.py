"""Groups, who is in them, which are nested in which, and who owns them."""

from django.db import models

from authz.models.person import User


class Group(models.Model):
    """A named set of people; groups may be nested in groups."""

    name = models.CharField(max_length=200, help_text="Nearly anything a directory holds; case does not matter.")
    folded = models.CharField(max_length=400, unique=True, editable=False)
    description = models.TextField(blank=True, default="", help_text="What being in this group means.")
    everyone = models.BooleanField(
        default=False,
        editable=False,
        help_text="Every active person is in it without a membership.",
    )
    source = models.CharField(max_length=100, default="local", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        """Return the name."""
        return self.name


class Membership(models.Model):
    """A person is directly in a group, because a source says so."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")
    source = models.CharField(max_length=100, default="local", editable=False)
    until = models.DateTimeField(
        null=True, blank=True, help_text="The instant at which it ends by itself; empty means never."
    )
    reason = models.CharField(max_length=300, blank=True, default="", help_text="Why; whoever reviews this will ask.")
    given_by = models.CharField(max_length=254, editable=False)
    given_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("person", "group", "source"), name="one_membership_per_source"),)

    def __str__(self) -> str:
        """Return the membership in words."""
        return f"{self.person} in {self.group}"


class Nesting(models.Model):
    """Whoever is in the child is in the parent."""

    child = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="nested_in")
    parent = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="nested")
    source = models.CharField(max_length=100, default="local", editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("child", "parent", "source"), name="one_nesting_per_pair_and_source"),
        )
        verbose_name = "nested group"

    def __str__(self) -> str:
        """Return the nesting in words."""
        return f"{self.child} in {self.parent}"


class Ownership(models.Model):
    """A person answers for a group."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="ownerships")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="ownerships")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("group", "person"), name="one_ownership_per_pair"),)
        verbose_name = "owner"

    def __str__(self) -> str:
        """Return the ownership in words."""
        return f"{self.person} owns {self.group}"
