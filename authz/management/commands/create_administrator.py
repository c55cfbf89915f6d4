"""Makes the first administrator, or another one, and says everything that they gained."""

import getpass
import os
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from audit.context import Actor
from authz.changes import people
from authz.changes.administrators import Undecided, make_administrator
from authz.changes.change import change
from authz.decisions.search import Reach, what_can
from authz.errors import AuthzError, Conflict
from authz.formats.emails import find_email
from authz.lookups.build import build
from authz.models import Group, User


class Command(BaseCommand):
    """Creates a person, or takes one, and lets them administer the portal."""

    help = "Let somebody administer the portal; somebody new gets the password in NEW_PASSWORD, or is asked for it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the person, and the group where there are several."""
        parser.add_argument("email")
        parser.add_argument("--name", default="")
        parser.add_argument(
            "--group", default="", help="the group of administrators to put them in, if there are several"
        )

    def handle(self, *_: Any, **options: Any) -> None:  # noqa: ANN401  the shape Django wants
        """Make the administrator, and say what that opened; what is to be asked is asked before anything is locked."""
        try:
            password = self._password(find_email(options["email"]))
            try:
                said = self._made(options, options["group"], password)
            except Undecided as several:
                said = self._made(options, self._chosen(several), password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except AuthzError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("\n".join(said))

    def _password(self, email: str) -> str:
        """Return the password of somebody new; empty for whoever is known."""
        if User.objects.filter(email=email).exists():
            return ""
        return os.environ.get("NEW_PASSWORD") or getpass.getpass("Password: ")

    def _made(self, options: dict[str, Any], group: str, password: str) -> list[str]:
        """Do it, in one transaction, and return in words what they are now and may now."""
        by = Actor.command("create_administrator")
        email = find_email(options["email"])
        before = _reach(email)
        with change(by):
            person = User.objects.filter(email=email).first()
            if person is None:
                person = people.create(email=options["email"], name=options["name"], password=password, by=by)
            elif not (person.is_active and person.is_human):
                message = f"{person.email} {'is suspended' if person.is_human else 'is a service account'}"
                raise Conflict(message)
            found = make_administrator(person, group=group, by=by)
        gained = _gained(found, before, _reach(person.email))
        return [f"{person.email} may administer the portal.", *gained]

    def _chosen(self, several: Undecided) -> str:
        """Return the group that somebody chooses at the terminal."""
        if not sys.stdin.isatty():
            message = f"{several}, with --group"
            raise CommandError(message) from several
        for number, name in enumerate(several.names, 1):
            self.stdout.write(f"{number}. {name}")
        chosen = input("Which group? Its number: ")
        if not chosen.isdecimal() or not 0 < int(chosen) <= len(several.names):
            message = "nothing was changed: that is none of them"
            raise CommandError(message)
        return several.names[int(chosen) - 1]


def _reach(email: str) -> dict[str, Reach]:
    """Return what somebody can reach, by the names of the servers, as the tables say it now."""
    world = build()
    number = world.by_email.get(email)
    return {each.server.name: each for each in what_can(world, number, at=time.time())} if number else {}


def _gained(group: Group, before: dict[str, Reach], after: dict[str, Reach]) -> list[str]:
    """Return each thing that somebody may now and did not before, in words."""
    lines = [f"Through the group {group.name}:"]
    for name, reach in after.items():
        had = before.get(name)
        actions = [each.value for each in reach.actions if had is None or each not in had.actions]
        tools = [each for each in reach.tools if had is None or each not in had.tools]
        lines += [f"  {' and '.join(actions)} {name}"] if actions else []
        lines += [f"  call {', '.join(tools)} of {name}"] if tools else []
    return lines if len(lines) > 1 else ["They could before, and gained nothing."]
