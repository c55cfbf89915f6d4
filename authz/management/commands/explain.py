"""Explains a decision at the command line."""

import json
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from authz.decisions.asked import action_named, person_named, server_named, tool_named
from authz.decisions.explain import explain
from authz.decisions.search import question_of, what_can, who_can
from authz.errors import AuthzError
from authz.lookups.current import current_world
from authz.lookups.provenance import told_with_sources


class Command(BaseCommand):
    """Explains, or searches."""

    help = (
        "explain PERSON SERVER: the answer and why. explain PERSON: what they can reach. "
        "explain --server SERVER: who can reach it. Exits with 1 if the answer is no."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the question."""
        parser.add_argument("person", nargs="?", help="an e-mail address")
        parser.add_argument("server_name", nargs="?", metavar="server", help="a server's name")
        parser.add_argument("--server", help="a server's name: list who can reach it")
        parser.add_argument("--tool", help='a tool\'s name; "" for a request that calls none')
        parser.add_argument("--action", default="use", help="use or administer")
        parser.add_argument("--address", default="", help="the client's IP address")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_: Any, **options: Any) -> None:  # noqa: ANN401  the shape Django wants
        """Explain."""
        try:
            self._explain(options)
        except AuthzError as error:
            raise CommandError(str(error)) from error

    def _explain(self, options: dict[str, Any]) -> None:
        world, at = current_world(), time.time()
        asked: dict[str, Any] = {
            "action": action_named(options["action"]),
            "tool": tool_named(options["tool"]),
            "at": at,
            "address": options["address"],
        }
        if options["person"] is None:
            if options["server"] is None:
                message = "name a person, a person and a server, or --server SERVER"
                raise CommandError(message)
            found = who_can(world, server_named(world, options["server"]).number, **asked)
            self._print([person.email for person in found], as_json=options["json"])
            return
        person = person_named(world, options["person"])
        name = options["server_name"] or options["server"]
        if name is None:
            reaches = what_can(world, person.number, at=at, address=options["address"])
            lines = [
                f"{each.server.name}: {', '.join(each.actions) or 'tools ' + ', '.join(each.tools)}" for each in reaches
            ]
            self._print(lines, as_json=options["json"])
            return
        question = question_of(person.number, server_named(world, name).number, **asked)
        answer = told_with_sources(explain(question, world), world)
        if options["json"]:
            self.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False))
        else:
            self._tell(answer)
        if not answer["allowed"]:
            sys.exit(1)

    def _print(self, lines: list[str], *, as_json: bool) -> None:
        self.stdout.write(json.dumps(lines, ensure_ascii=False) if as_json else "\n".join(lines) or "(nothing)")

    def _tell(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{'YES' if answer['allowed'] else 'NO'}  {answer['reason']}  [{answer['rule']}]")
        for way in answer["because"]:
            chain = " in ".join(way["groups"]) or "directly"
            self.stdout.write(f"  because {way['says']}  ({chain})")
            for each in way["given_by"]:
                reason = f": {each['reason']}" if each["reason"] else ""
                self.stdout.write(f"    in {way['groups'][0]} by {each['source']}{reason}")
        for title in ("to_revoke", "to_allow"):
            for line in answer[title]:
                self.stdout.write(f"  {title.replace('_', ' ')}: {line}")
