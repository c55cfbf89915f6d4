"""Directories that people and groups come from, how they map to ours, and the runs that keep both in step."""

from django.db import models

from authz.models.group import Group
from authz.models.person import User


class Source(models.Model):
    """A directory: an LDAP server, an OpenID provider, or a SCIM client that pushes."""

    LDAP, OIDC, SCIM = "ldap", "oidc", "scim"
    KINDS = ((LDAP, "LDAP or Active Directory"), (OIDC, "OpenID Connect"), (SCIM, "SCIM 2.0"))

    name = models.SlugField(
        max_length=40,
        unique=True,
        help_text="Small letters, digits and hyphens. It stands in addresses and beside all that comes from it, "
        "and so it never changes.",
    )
    kind = models.CharField(max_length=4, choices=KINDS)
    title = models.CharField(max_length=100, blank=True, default="", help_text="What people are shown, such as Okta.")
    enabled = models.BooleanField(
        default=True, help_text="Switched off, it changes nothing, nobody signs in by it, and its sign-ins end."
    )
    settings = models.JSONField(default=dict, help_text="As authz.formats.sources describes them for its kind.")
    secret = models.TextField(blank=True, default="", editable=False, help_text="Wrapped; see authz.formats.wrapped.")
    cursor = models.CharField(max_length=200, blank=True, default="", editable=False)
    full_at = models.DateTimeField("last full read", null=True, blank=True, editable=False)
    read_at = models.DateTimeField("last read", null=True, blank=True, editable=False)
    due_at = models.DateTimeField("next run", null=True, blank=True, editable=False, db_index=True)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    failure = models.TextField(blank=True, default="", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "directory"
        verbose_name_plural = "directories"
        ordering = ("name",)

    def __str__(self) -> str:
        """Return what its people and memberships say of where they come from, such as ldap:corp."""
        return f"{self.kind}:{self.name}"


class Rule(models.Model):
    """Who comes from a directory with this attribute, or in this group there, is in a group of ours."""

    ATTRIBUTE, GROUP = "attribute", "group"
    KINDS = ((ATTRIBUTE, "an attribute of theirs"), (GROUP, "a group they are in there"))

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="rules", verbose_name="directory")
    kind = models.CharField("decides", max_length=10, choices=KINDS, default=ATTRIBUTE)
    attribute = models.CharField(
        max_length=100, blank=True, default="", help_text="Its name there, such as department; empty for a group."
    )
    pattern = models.CharField(
        "equals", max_length=300, help_text="The value, or the name of the group there; * stands for anything."
    )
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="rules")

    class Meta:
        verbose_name = "membership rule"
        ordering = ("source", "group", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("source", "kind", "attribute", "pattern", "group"), name="one_of_each_rule"
            ),
        )

    def __str__(self) -> str:
        """Return the rule as a sentence."""
        whose = f"whose {self.attribute} is" if self.kind == self.ATTRIBUTE else "in"
        return f"everybody {whose} {self.pattern} in {self.source} is in {self.group}"


class Identity(models.Model):
    """Somebody as a directory knows them, and who they are here."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="identities", verbose_name="directory")
    external_id = models.CharField(max_length=255, help_text="How the directory calls them, for ever.")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    locator = models.CharField(
        max_length=1000, blank=True, default="", help_text="Where they stand there now, such as a DN in lower case."
    )
    active = models.BooleanField(default=True, help_text="What the directory says.")
    suspended = models.BooleanField(
        default=False, help_text="Whether this directory suspended them; only then does it restore them."
    )
    suspended_at = models.DateTimeField(null=True, blank=True)
    attributes = models.JSONField(default=dict, help_text="Name to values, as the rules see them.")
    resource = models.JSONField(default=dict, help_text="What a SCIM client wrote, to be read back by it.")
    version = models.PositiveBigIntegerField(default=1)
    seen_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)
    gone_at = models.DateTimeField(null=True, blank=True, help_text="Since when the directory does not have them.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "identities"
        indexes = (models.Index(fields=("source", "locator"), name="identity_by_locator"),)
        constraints = (
            models.UniqueConstraint(fields=("source", "external_id"), name="one_identity_per_external_id"),
            models.UniqueConstraint(fields=("source", "person"), name="one_identity_per_person_and_source"),
        )

    def __str__(self) -> str:
        """Return who it is."""
        return f"{self.person} in {self.source}"


class ForeignGroup(models.Model):
    """A group as a directory knows it, and ours that mirrors it."""

    source = models.ForeignKey(
        Source, on_delete=models.CASCADE, related_name="foreign_groups", verbose_name="directory"
    )
    external_id = models.CharField(max_length=255)
    name = models.CharField(max_length=300)
    locator = models.CharField(max_length=1000, blank=True, default="")
    group = models.ForeignKey(Group, on_delete=models.SET_NULL, null=True, blank=True, related_name="foreign_groups")
    resource = models.JSONField(default=dict)
    version = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    gone_at = models.DateTimeField(null=True, blank=True, help_text="Since when the directory does not have it.")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("source", "external_id"), name="one_foreign_group_per_external_id"),
        )

    def __str__(self) -> str:
        """Return its name there."""
        return f"{self.name} in {self.source}"


class ForeignMember(models.Model):
    """Somebody is directly in a group there."""

    group = models.ForeignKey(ForeignGroup, on_delete=models.CASCADE, related_name="members")
    identity = models.ForeignKey(Identity, on_delete=models.CASCADE, related_name="memberships")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("group", "identity"), name="one_foreign_membership"),)

    def __str__(self) -> str:
        """Return the membership in words."""
        return f"{self.identity_id} in {self.group_id}"


class ForeignNest(models.Model):
    """A group there is directly in another."""

    child = models.ForeignKey(ForeignGroup, on_delete=models.CASCADE, related_name="nested_in")
    parent = models.ForeignKey(ForeignGroup, on_delete=models.CASCADE, related_name="nested")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("child", "parent"), name="one_foreign_nesting"),)

    def __str__(self) -> str:
        """Return the nesting in words."""
        return f"{self.child_id} in {self.parent_id}"


class Run(models.Model):
    """One time that a directory was, is or is to be brought in step."""

    QUEUED, RUNNING, WAITING, DONE, FAILED, DISMISSED = "queued", "running", "waiting", "done", "failed", "dismissed"
    STATES = (
        (QUEUED, "queued"),
        (RUNNING, "running"),
        (WAITING, "waits for approval"),
        (DONE, "done"),
        (FAILED, "failed"),
        (DISMISSED, "dismissed"),
    )
    FULL, CHANGES, RULES, PREVIEW, PUSH, REMOVAL = "full", "changes", "rules", "preview", "push", "removal"
    MODES = (
        (FULL, "everything"),
        (CHANGES, "what changed"),
        (RULES, "nothing: rules and settings"),
        (PREVIEW, "preview"),
        (PUSH, "pushed"),
        (REMOVAL, "removal of the directory"),
    )

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="runs", verbose_name="directory")
    mode = models.CharField("reads", max_length=10, choices=MODES, default=FULL)
    state = models.CharField(max_length=10, choices=STATES, default=QUEUED, db_index=True)
    asked_by = models.CharField(max_length=254)
    queued_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField("started", null=True, blank=True)
    ended_at = models.DateTimeField("ended", null=True, blank=True)
    worker = models.CharField(max_length=120, blank=True, default="")
    leased_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    stage = models.CharField(max_length=40, blank=True, default="")
    steps_done = models.PositiveIntegerField(default=0)
    steps = models.PositiveIntegerField(default=0)
    preview = models.JSONField(default=dict, help_text="What it does, or would do: see authz.directory.shown.")
    reasons = models.JSONField(default=list, help_text="Why it waits for approval.")
    grave = models.JSONField(
        default=list, help_text="The grave steps that wait: an approval is for these and no others."
    )
    approved_by = models.CharField(max_length=254, blank=True, default="")
    approved_at = models.DateTimeField("approved", null=True, blank=True)
    problems = models.JSONField(default=list, help_text="What could not be done, each with its subject.")
    failure = models.TextField(blank=True, default="")

    class Meta:
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("source",), condition=models.Q(state="running"), name="one_run_at_a_time_per_source"
            ),
        )

    def __str__(self) -> str:
        """Return which directory's it is, and when it was asked for."""
        return f"{self.source} {self.queued_at:%Y-%m-%d %H:%M}"


class Toll(models.Model):
    """What a directory took away at one time without having been asked about it; kept for as long as it counts."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="tolls")
    at = models.DateTimeField(auto_now_add=True, db_index=True)
    counts = models.JSONField(default=dict, help_text="How much of each kind, as authz.directory.brake names them.")

    def __str__(self) -> str:
        """Return whose it is, and when."""
        return f"{self.source_id} {self.at:%Y-%m-%d %H:%M}"


class ProviderSession(models.Model):
    """What a sign-in by a directory rests on: the provider's own session, tokens and assurance."""

    session = models.OneToOneField("authz.Session", on_delete=models.CASCADE, related_name="provider")
    source = models.ForeignKey(
        Source, on_delete=models.CASCADE, related_name="provider_sessions", verbose_name="directory"
    )
    subject = models.CharField(max_length=255)
    sid = models.CharField("provider's session", max_length=255, blank=True, default="", db_index=True)
    amr = models.JSONField("how it was proven", default=list)
    acr = models.CharField("assurance", max_length=200, blank=True, default="")
    id_token = models.TextField(blank=True, default="", editable=False)
    refresh_token = models.TextField(blank=True, default="", editable=False)
    check_at = models.DateTimeField("next check", null=True, blank=True, db_index=True)

    def __str__(self) -> str:
        """Return whose it is."""
        return f"{self.subject} in {self.source}"


class SpentToken(models.Model):
    """A one-time token of a provider that was used; it is refused until it would have expired anyway."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="spent_tokens")
    name = models.CharField(max_length=64, help_text="SHA-256 of its jti.")
    until = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("source", "name"), name="a_token_is_spent_once"),)

    def __str__(self) -> str:
        """Return its hash."""
        return self.name
