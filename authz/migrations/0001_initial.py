"""Makes the tables as they were first."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import authz.models.issuer


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Change",
            fields=[
                ("revision", models.BigIntegerField(primary_key=True, serialize=False)),
                ("mark", models.CharField(max_length=16)),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("facts", models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name="Group",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        help_text="Nearly anything a directory holds; case does not matter.", max_length=200
                    ),
                ),
                ("folded", models.CharField(editable=False, max_length=400, unique=True)),
                ("description", models.TextField(blank=True, default="", help_text="What being in this group means.")),
                (
                    "everyone",
                    models.BooleanField(
                        default=False, editable=False, help_text="Every active person is in it without a membership."
                    ),
                ),
                ("source", models.CharField(default="local", editable=False, max_length=100)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="Issuer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True)),
                (
                    "issuer",
                    models.CharField(
                        help_text="Exactly the iss claim of its tokens, character by character.",
                        max_length=500,
                        unique=True,
                    ),
                ),
                (
                    "audiences",
                    models.JSONField(
                        default=list,
                        help_text="Accepted aud claims, one per line; a token for anybody else is refused.",
                    ),
                ),
                (
                    "claim",
                    models.CharField(
                        default="email", help_text="The claim that holds the person's e-mail address.", max_length=100
                    ),
                ),
                ("algorithms", models.JSONField(default=authz.models.issuer.default_algorithms)),
                (
                    "jwks_url",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Where its public keys are fetched …",
                        max_length=500,
                        verbose_name="JWKS address",
                    ),
                ),
                (
                    "jwks",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text='… or the keys themselves: {"keys": […]} (RFC 7517).',
                        verbose_name="JWKS",
                    ),
                ),
                (
                    "enabled",
                    models.BooleanField(default=True, help_text="Switched off, all its tokens are refused at once."),
                ),
            ],
            options={
                "verbose_name": "trusted issuer",
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="Proxy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True)),
                (
                    "secret",
                    models.CharField(
                        blank=True, default="", editable=False, max_length=64, verbose_name="hash of the shared secret"
                    ),
                ),
                (
                    "networks",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Networks it connects from, such as 10.1.0.0/16, one per line; if there is a secret, both must hold.",
                    ),
                ),
                ("enabled", models.BooleanField(default=True, help_text="Switched off, what it forwards is refused.")),
            ],
            options={
                "verbose_name": "trusted proxy",
                "verbose_name_plural": "trusted proxies",
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="Revision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("n", models.BigIntegerField(default=0)),
                ("mark", models.CharField(default="", help_text="Drawn at random for each revision.", max_length=16)),
                ("epoch", models.CharField(max_length=8)),
            ],
        ),
        migrations.CreateModel(
            name="Server",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="What people and grants call it.", max_length=200)),
                ("folded", models.CharField(editable=False, max_length=400, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("mcp", "MCP server"),
                            ("web", "web application"),
                            ("capability", "capability (feature flag)"),
                            ("portal", "this portal"),
                        ],
                        default="mcp",
                        help_text="MCP servers have tools; a capability is a name without an address.",
                        max_length=20,
                    ),
                ),
                ("description", models.TextField(blank=True, default="")),
                ("enabled", models.BooleanField(default=True, help_text="Switched off, it is closed to everyone.")),
                (
                    "mcp_path",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Where below each path prefix MCP is spoken, such as mcp; empty for the prefix itself. Grants on single tools hold only there.",
                        max_length=200,
                        verbose_name="MCP path",
                    ),
                ),
                (
                    "verifies_headers",
                    models.BooleanField(
                        default=False,
                        help_text="Only if the server refuses a request whose Mcp-Method or Mcp-Name differs from its body, as protocol version 2026-07-28 demands. Until then, grants on single tools open nothing but what calls no tool.",
                        verbose_name="checks the Mcp headers",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "email",
                    models.CharField(
                        help_text="The name they sign in with. Upper and lower case do not matter.",
                        max_length=254,
                        unique=True,
                        verbose_name="e-mail",
                    ),
                ),
                ("name", models.CharField(blank=True, help_text="How they are shown to others.", max_length=200)),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Somebody who is not active is refused everywhere, at once.",
                        verbose_name="active",
                    ),
                ),
                (
                    "is_human",
                    models.BooleanField(
                        default=True,
                        help_text="A service account is not a person: it cannot sign in, and is not in the group of everyone.",
                        verbose_name="is a person",
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        default="local",
                        help_text="The directory that owns the name, the e-mail and the active flag.",
                        max_length=100,
                    ),
                ),
                (
                    "external_id",
                    models.CharField(
                        blank=True, default="", help_text="How that directory calls them, for ever.", max_length=255
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "person",
                "verbose_name_plural": "people",
                "ordering": ("email",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("external_id", ""), _negated=True),
                        fields=("source", "external_id"),
                        name="one_person_per_external_id",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="What it is for, such as nightly report.", max_length=100)),
                ("prefix", models.CharField(editable=False, max_length=20, unique=True)),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("scopes", models.JSONField(default=list, help_text="What the key is limited to.")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "until",
                    models.DateTimeField(blank=True, help_text="Empty means never.", null=True, verbose_name="expires"),
                ),
                ("last_used_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last used")),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="revoked")),
                (
                    "person",
                    models.ForeignKey(
                        help_text="Whose key it is: it can do nothing more.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_keys",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "rotated_to",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="rotated_from",
                        to="authz.apikey",
                    ),
                ),
            ],
            options={
                "verbose_name": "API key",
                "ordering": ("-created_at",),
            },
        ),
        migrations.CreateModel(
            name="FailedSignIn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account", models.CharField(max_length=254)),
                ("address", models.CharField(max_length=45)),
                ("at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "at"], name="authz_faile_account_b1f3b2_idx"),
                    models.Index(fields=["address", "at"], name="authz_faile_address_b0586d_idx"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("device", models.CharField(blank=True, default="", max_length=300)),
                ("address", models.CharField(blank=True, default="", max_length=45)),
                ("started_at", models.DateTimeField(verbose_name="started")),
                ("until", models.DateTimeField(verbose_name="ends at the latest")),
                (
                    "idle",
                    models.PositiveIntegerField(
                        help_text="Seconds without a request after which it ends.", verbose_name="idle limit"
                    ),
                ),
                ("seen_at", models.DateTimeField(db_index=True, verbose_name="last seen")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                ("ended_because", models.CharField(blank=True, default="", max_length=100)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-started_at",),
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(default="local", editable=False, max_length=100)),
                (
                    "until",
                    models.DateTimeField(
                        blank=True, help_text="The instant at which it ends by itself; empty means never.", null=True
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True, default="", help_text="Why; whoever reviews this will ask.", max_length=300
                    ),
                ),
                ("given_by", models.CharField(editable=False, max_length=254)),
                ("given_at", models.DateTimeField(auto_now_add=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="memberships", to="authz.group"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("person", "group", "source"), name="one_membership_per_source")
                ],
            },
        ),
        migrations.CreateModel(
            name="Nesting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "child",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="nested_in", to="authz.group"
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="nested", to="authz.group"
                    ),
                ),
            ],
            options={
                "verbose_name": "nested group",
                "constraints": [models.UniqueConstraint(fields=("child", "parent"), name="one_nesting_per_pair")],
            },
        ),
        migrations.CreateModel(
            name="Ownership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="ownerships", to="authz.group"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ownerships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "owner",
                "constraints": [models.UniqueConstraint(fields=("group", "person"), name="one_ownership_per_pair")],
            },
        ),
        migrations.CreateModel(
            name="Route",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "host",
                    models.CharField(
                        help_text="chat.example.com, chat.example.com:8443, or * for any host of the proxy.",
                        max_length=260,
                    ),
                ),
                (
                    "prefix",
                    models.CharField(
                        default="/",
                        help_text="/mcp/search covers itself and all below it.",
                        max_length=500,
                        verbose_name="path prefix",
                    ),
                ),
                (
                    "server",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="routes", to="authz.server"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("host", "prefix"),
                        name="one_server_per_route",
                        violation_error_message="This host and path prefix already lead to a server.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "action",
                    models.CharField(
                        choices=[("use", "use"), ("administer", "administer (includes use)")],
                        default="use",
                        max_length=20,
                    ),
                ),
                (
                    "tools",
                    models.JSONField(
                        blank=True,
                        help_text="Names or patterns with *, one per line; empty means every tool.",
                        null=True,
                    ),
                ),
                (
                    "until",
                    models.DateTimeField(
                        blank=True, help_text="The instant at which it ends by itself; empty means never.", null=True
                    ),
                ),
                (
                    "networks",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Networks it holds from, such as 10.0.0.0/8, one per line; empty means any.",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True, default="", help_text="Why; whoever reviews this will ask.", max_length=300
                    ),
                ),
                ("given_by", models.CharField(editable=False, max_length=254)),
                ("given_at", models.DateTimeField(auto_now_add=True)),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        help_text="… or one person or service account.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        help_text="Either a group …",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to="authz.group",
                    ),
                ),
                (
                    "server",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="grants", to="authz.server"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("group__isnull", True), ("person__isnull", True), _connector="XOR"),
                        name="either_a_group_or_a_person",
                        violation_error_message="Name either a group or a person, not both.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Tool",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="Exactly as the server calls it; case matters.", max_length=200)),
                ("description", models.CharField(blank=True, default="", max_length=500)),
                ("enabled", models.BooleanField(default=True, help_text="Switched off, nobody may call it.")),
                (
                    "server",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tools", to="authz.server"
                    ),
                ),
            ],
            options={
                "ordering": ("name",),
                "constraints": [models.UniqueConstraint(fields=("server", "name"), name="one_tool_per_name")],
            },
        ),
    ]
