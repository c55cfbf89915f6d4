from typing import Any

from django.db import migrations, models


def keep_what_is_taken(apps: Any, schema_editor: Any) -> None:  # noqa: ANN401, ARG001  Django gives them
    """Issuers that were there before go on taking ID tokens; the administration shows which do."""
    apps.get_model("authz", "Issuer").objects.update(id_tokens=True)


class Migration(migrations.Migration):
    dependencies = [("authz", "0003_directories")]

    operations = [
        migrations.AddField(
            model_name="issuer",
            name="id_tokens",
            field=models.BooleanField(
                default=False,
                help_text="An ID token tells an application who signed in; it is meant for that application and for "
                "nobody's access. Only for clients that send nothing else.",
                verbose_name="takes ID tokens",
            ),
        ),
        migrations.RunPython(keep_what_is_taken, migrations.RunPython.noop),
    ]
