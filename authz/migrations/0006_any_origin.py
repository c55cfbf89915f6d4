from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("authz", "0005_tombstone")]

    operations = [
        migrations.AddField(
            model_name="server",
            name="any_origin",
            field=models.BooleanField(
                default=False,
                help_text="Only if it checks Origin itself, or knows people by something else than the session cookie: "
                "any page that somebody has open could otherwise speak to it in their name.",
                verbose_name="WebSockets from any page",
            ),
        ),
    ]
