"""Brings a directory in step at the command line, or shows what that would do."""

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.context import Actor
from authz.changes import runs
from authz.directory.run import me, work_on
from authz.errors import AuthzError
from authz.models import Run, Source

APPROVED_HERE = (Run.FULL, Run.CHANGES, Run.RULES)
"""A removal is approved in the administration, where it is shown what it takes back."""
PATIENCE = 0.5
"""Seconds between two looks at a run that another worker has."""


class Command(BaseCommand):
    """Asks for a run, and works on it or waits for whoever does."""

    help = (
        "sync_directory NAME: read everything and bring it in step. --changes: what changed. --preview: only show it. "
        "--approve RUN: approve what that run waits for. Without a name, tell of all directories."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the directory."""
        parser.add_argument("name", nargs="?")
        asked = parser.add_mutually_exclusive_group()
        asked.add_argument("--changes", action="store_const", dest="mode", const=Run.CHANGES, default=Run.FULL)
        asked.add_argument("--preview", action="store_const", dest="mode", const=Run.PREVIEW)
        asked.add_argument("--approve", type=int, metavar="RUN", help="approve what this run waits for, and do it")

    def handle(self, *_: Any, **options: Any) -> None:  # noqa: ANN401  the shape Django wants
        """Bring in step."""
        if options["name"] is None:
            self._tell_all()
            return
        source = Source.objects.filter(name=options["name"]).first()
        if source is None:
            message = f"no directory is called {options['name']!r}"
            raise CommandError(message)
        by = Actor.command("sync_directory")
        try:
            if options["approve"]:
                waiting = source.runs.filter(state=Run.WAITING, mode__in=APPROVED_HERE, pk=options["approve"]).first()
                if waiting is None:
                    message = f"no run {options['approve']} of {source} waits for approval here"
                    raise CommandError(message)
                run = runs.approve(waiting, by=by)
            else:
                run = runs.ask(source, by=by, mode=options["mode"])
        except AuthzError as error:
            raise CommandError(str(error)) from error
        self._work(run)

    def _work(self, run: Run) -> None:
        worker = me()
        stage = ""
        while run.state in {Run.QUEUED, Run.RUNNING}:
            if run.state == Run.QUEUED and (mine := runs.claim(worker=worker)) is not None:
                work_on(mine, worker=worker)
            else:
                time.sleep(PATIENCE)
            found = Run.objects.filter(pk=run.pk).first()
            if found is None:
                self.stdout.write(f"{run.source} was removed")
                return
            run = found
            if run.stage != stage:
                stage = run.stage
                self.stdout.write(f"  {stage} {run.steps_done}/{run.steps}")
        self._tell(run)

    def _tell(self, run: Run) -> None:
        self.stdout.write(f"{run.source}: run {run.pk}: {run.get_state_display()}")
        for name, number in run.preview.get("counts", {}).items():
            self.stdout.write(f"  {name.replace('_', ' ')}: {number}")
        for line in _lines(run):
            self.stdout.write(f"  {line}")
        for reason in run.reasons if run.state == Run.WAITING or run.mode == Run.PREVIEW else ():
            self.stdout.write(f"  would wait for approval: {reason}")
        if run.state == Run.FAILED:
            raise CommandError(run.failure)

    def _tell_all(self) -> None:
        for source in Source.objects.all():
            state = "switched off" if not source.enabled else f"failing: {source.failure}" if source.failure else "well"
            read = f"{source.read_at:%Y-%m-%d %H:%M}" if source.read_at else "never"
            self.stdout.write(f"{source}  {state}  last read {read}")


def _lines(run: Run) -> Iterator[str]:
    """Yield what a run does or would do, and what it could not do."""
    for title in ("people", "groups", "memberships", "access"):
        for change, told in run.preview.get(title, {}).items():
            yield from (f"{title} {change}: {line}" for line in (told if isinstance(told, list) else ()))
    yield from (f"problem: {subject}: {why}" for subject, why in run.problems)
