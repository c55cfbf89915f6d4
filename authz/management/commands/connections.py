"""Lists live connections at the command line, and ends one or all of somebody."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat

from audit.context import Actor
from authz.changes import connections
from authz.decisions.names import fold
from authz.formats.emails import find_email
from authz.lookups.connections import because, by_what, told, where_to, with_issuers
from authz.models import Connection, Server, User

BY = Actor.command("connections")
BECAUSE = "disconnected at the command line"
HEADINGS = ("ID", "PERSON", "TO", "KIND", "SINCE (UTC)", "FROM", "BY", "RECEIVED", "SENT", "ENDS (UTC)", "WHEN")


class Command(BaseCommand):
    """Lists, or disconnects."""

    help = "Who is connected to what, the newest first; --disconnect ID or --disconnect-all EMAIL ends connections."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take which, and what to do."""
        parser.add_argument("--person", metavar="EMAIL", help="only those of one person or service account")
        parser.add_argument("--server", metavar="NAME", help="only those to one server")
        parser.add_argument("--json", action="store_true", help="print JSON")
        ends = parser.add_mutually_exclusive_group()
        ends.add_argument("--disconnect", metavar="ID", help="end one connection")
        ends.add_argument("--disconnect-all", metavar="EMAIL", help="end all connections of somebody")

    def handle(self, *_: Any, **options: Any) -> None:  # noqa: ANN401  the shape Django wants
        """List them, or end them."""
        if options["disconnect"] is not None:
            self._disconnect(options["disconnect"])
        elif options["disconnect_all"] is not None:
            person = _person(options["disconnect_all"])
            connections.hang_up_all(person, by=BY, because=BECAUSE)
            self.stdout.write(f"All connections of {person} were ended.")
        else:
            self._list(options)

    def _disconnect(self, name: str) -> None:
        row = with_issuers().filter(pk=name).first()
        if row is None:
            message = f"no live connection is called {name!r}"
            raise CommandError(message)
        connections.hang_up(row, by=BY, because=BECAUSE)
        self.stdout.write(f"The connection of {row} was ended.")

    def _list(self, options: dict[str, Any]) -> None:
        found = with_issuers()
        if options["person"] is not None:
            found = found.filter(person=_person(options["person"]))
        if options["server"] is not None:
            server = Server.objects.filter(folded=fold(options["server"])).first()
            if server is None:
                message = f"no server is called {options['server']!r}"
                raise CommandError(message)
            found = found.filter(server=server)
        if options["json"]:
            self.stdout.write(json.dumps([told(row) for row in found], indent=2, ensure_ascii=False))
        else:
            self.stdout.write(table([HEADINGS, *map(cells, found)]) if found else "Nobody is connected.")


def _person(email: str) -> User:
    person = User.objects.filter(email=find_email(email)).first()
    if person is None:
        message = f"nobody is called {email!r}"
        raise CommandError(message)
    return person


def cells(row: Connection) -> tuple[str, ...]:
    """Return what is printed of a connection."""
    return (
        row.pk,
        row.person.email,
        where_to(row),
        row.kind,
        f"{row.opened_at:%Y-%m-%d %H:%M}",
        row.address,
        by_what(row),
        filesizeformat(row.received).replace("\xa0", " "),
        filesizeformat(row.sent).replace("\xa0", " "),
        f"{row.ends_at:%Y-%m-%d %H:%M}",
        because(row),
    )


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines in which each column begins at the same place."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
