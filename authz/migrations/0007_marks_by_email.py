import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("authz", "0006_any_origin"),
    ]

    operations = [
        migrations.AlterField(
            model_name="tombstone",
            name="external_id",
            field=models.CharField(blank=True, default="", max_length=255),
        ),
        migrations.AlterField(
            model_name="tombstone",
            name="source",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tombstones",
                to="authz.source",
                verbose_name="directory",
            ),
        ),
        migrations.AddConstraint(
            model_name="tombstone",
            constraint=models.UniqueConstraint(
                condition=models.Q(("source", None)), fields=("email",), name="one_tombstone_per_email_of_no_source"
            ),
        ),
    ]
