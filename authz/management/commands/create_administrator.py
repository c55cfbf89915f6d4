"""Makes the first administrator, or another one."""

import getpass
import os
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from audit.context import Actor
from authz.changes import people
from authz.changes.administrators import make_administrator
from authz.changes.change import change
from authz.errors import AuthzError
from authz.formats.emails import find_email
from authz.models import User


class Command(BaseCommand):
    """Creates a person, or takes one, and lets them administer the portal."""

    help = "Let somebody administer the portal; somebody new gets the password in NEW_PASSWORD, or is asked for it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the person."""
        parser.add_argument("email")
        parser.add_argument("--name", default="")

    def handle(self, *_: Any, **options: Any) -> None:  # noqa: ANN401  the shape Django wants
        """Make the administrator."""
        by = Actor.command("create_administrator")
        try:
            with change(by):
                person = User.objects.filter(email=find_email(options["email"])).first()
                if person is None:
                    password = os.environ.get("NEW_PASSWORD") or getpass.getpass("Password: ")
                    person = people.create(email=options["email"], name=options["name"], password=password, by=by)
                make_administrator(person, by=by)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except AuthzError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{person.email} may administer the portal.")
