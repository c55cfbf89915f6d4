"""Puts in what is there from the beginning: the revision, the group of everyone, and the portal itself."""

import secrets
from typing import Any

from django.db import migrations


def begin(apps: Any, _editor: object) -> None:  # noqa: ANN401  Django's historical registry
    """Write the first rows; they are part of the installation, not of its history."""
    apps.get_model("authz", "Revision").objects.create(n=0, epoch=secrets.token_hex(4))
    apps.get_model("authz", "Group").objects.create(
        name="users", folded="users", everyone=True, description="Every active person, without a membership."
    )
    apps.get_model("authz", "Server").objects.create(
        name="portal",
        folded="portal",
        kind="portal",
        description="Gatehouse itself: whoever may administer it is an administrator.",
    )


class Migration(migrations.Migration):
    """Begins."""

    dependencies = [("authz", "0001_initial")]  # noqa: RUF012  the shape Django wants
    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]  # noqa: RUF012  the shape Django wants
