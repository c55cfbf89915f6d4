"""Makes the tables of the book, and the triggers that guard its entries."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from audit import guard


def install(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    guard.install(schema_editor.connection)


def remove(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    guard.remove(schema_editor.connection)


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="SpoolPosition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("file", models.CharField(max_length=255, unique=True)),
                ("offset", models.BigIntegerField(default=0)),
                ("drained_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("kind", models.CharField(max_length=64)),
                ("actor_kind", models.CharField(max_length=16)),
                ("actor", models.CharField(blank=True, max_length=512)),
                ("address", models.CharField(blank=True, max_length=64)),
                ("subject", models.CharField(blank=True, max_length=512)),
                ("target", models.CharField(blank=True, max_length=512)),
                ("effect", models.CharField(blank=True, max_length=16)),
                ("revision", models.BigIntegerField(null=True)),
                ("detail", models.TextField()),
                ("previous_hash", models.CharField(max_length=64)),
                ("hash", models.CharField(max_length=64)),
            ],
            options={
                "verbose_name_plural": "entries",
                "ordering": ["-number"],
                "default_permissions": ("view",),
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["subject", "number"], name="audit_entry_subject"),
                    models.Index(
                        condition=models.Q(("kind", "decision.made"), _negated=True),
                        fields=["kind", "number"],
                        name="audit_entry_changes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Head",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("number", models.BigIntegerField(default=0)),
                (
                    "hash",
                    models.CharField(
                        default="0000000000000000000000000000000000000000000000000000000000000000", max_length=64
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="audit_head_is_one_row")],
            },
        ),
        migrations.RunPython(install, remove),
    ]
