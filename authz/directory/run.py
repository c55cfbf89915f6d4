"""Works on one run of a directory: read, plan, brake, apply, report; begun again, it does what is left."""

import logging
import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import replace

from django.utils import timezone

from audit.context import Actor
from authz.changes import runs, sources
from authz.changes.change import change
from authz.directory.apply import apply
from authz.directory.brake import LAST, SUSPENDED, counted, refuse_nothing
from authz.directory.held import as_told_before, concerned, everything
from authz.directory.observed import Observed, Problem
from authz.directory.plan import Plan, only_suspensions, plan
from authz.directory.removal import plan_removal
from authz.directory.shown import shown
from authz.directory.weighed import held_of, meaning, reasons_to_wait
from authz.errors import AuthzError, Conflict, DirectoryFailed, InvalidName
from authz.formats.sources import KINDS, Common, LdapSettings, read
from authz.lookups.current import current_world
from authz.models import Run, Source

log = logging.getLogger(__name__)

MOST_CONCERNED = 2000
"""People of whom a part of a directory may be; of more, everything is read from the tables."""
BY = Actor.system("directory")

Watch = Callable[[str, int, int], None]


class LostRun(Exception):
    """The lease on a run ran out and another worker took it over: this one must stop."""


def me() -> str:
    """Return a name for this worker that no other has."""
    return f"{socket.gethostname()[:60]}/{os.getpid()}/{secrets.token_hex(4)}"


def work(worker: str | None = None) -> int:
    """Work on every run that is ready, one after the other; return how many there were."""
    worker, done = worker or me(), 0
    for source in runs.due(now=timezone.now()):
        runs.ask(source, by=BY, mode=mode_of(source))
    while (run := runs.claim(worker=worker)) is not None:
        work_on(run, worker=worker)
        done += 1
    return done


def mode_of(source: Source) -> str:
    """Return what a directory that is due is asked for: what changed, or everything once in a while."""
    try:
        settings = read(LdapSettings, source.settings)
    except InvalidName:
        return Run.FULL  # which fails, and says why
    since = (timezone.now() - source.full_at).total_seconds() if source.full_at else float("inf")
    return Run.CHANGES if source.cursor and since < settings.full_every_hours * 3600 else Run.FULL


def work_on(run: Run, *, worker: str) -> None:
    """Bring one run to its end, or to where somebody has to approve it; whatever fails is written down."""

    def watch(stage: str, done: int, steps: int) -> None:
        if not runs.keep(run, worker=worker, stage=stage, done=done, steps=steps):
            raise LostRun

    if run.attempts > runs.MOST_ATTEMPTS:
        why = f"it was begun {run.attempts - 1} times and never came to its end"
        runs.fail(run, worker=worker, why=why, by=BY)
        return
    try:
        _Work(run, worker, watch).through()
    except LostRun:
        log.warning("directory.run_lost", extra={"directory": str(run.source), "run": run.pk})
        runs.fail(run, worker=worker, why="the directory was switched off meanwhile", by=BY)
    except AuthzError as error:
        _failed(run, worker, str(error))
    except Exception as error:
        log.exception("directory.run_broken", extra={"directory": str(run.source), "run": run.pk})
        _failed(run, worker, f"an error of our own: {type(error).__name__}", again=True)


def _failed(run: Run, worker: str, why: str, *, again: bool = False) -> None:
    log.error("directory.failed", extra={"directory": str(run.source), "run": run.pk, "failure": why})
    runs.fail(run, worker=worker, why=why, by=BY, again=again)


class _Work:
    """One run under way."""

    def __init__(self, run: Run, worker: str, watch: Watch) -> None:
        self.run, self.worker, self.watch = run, worker, watch
        self.source = run.source
        self.settings = read(KINDS[self.source.kind], self.source.settings)
        self.world = current_world()

    def through(self) -> None:
        """Go from reading to the end."""
        if self.run.mode == Run.REMOVAL:
            self.remove()
            return
        if not self.source.enabled and self.run.mode != Run.PREVIEW:
            message = f"the directory {self.source} is switched off"
            raise Conflict(message)
        self.watch("reading", 0, 0)
        observed = self.observed()
        self.watch("comparing", 0, 0)
        made = compare(self.source, observed, self.settings, whole=self.run.mode == Run.RULES)
        reasons = self.weigh(made)
        cursor = observed.cursor
        if self.run.mode == Run.PREVIEW:
            self.end(made, cursor)
        elif reasons and not self.is_approved(made):
            # Whoever has left there is not kept in by something else that somebody has to look at first.
            if not {SUSPENDED, LAST} & reasons.keys():
                self.apply(only_suspensions(made), approved=False)
            self.hold(made, reasons)
        else:
            failed = self.apply(made, approved=bool(reasons))
            self.end(made, "" if failed else cursor, failed)

    def observed(self) -> Observed:
        """Return what the directory shows; a run for rules alone reads nothing."""
        if self.run.mode == Run.RULES:
            return as_told_before(self.source)
        found = observe(self.source, self.settings, full=self.run.mode != Run.CHANGES, watch=self.watch)
        asked = not isinstance(self.settings, LdapSettings) or bool(self.settings.groups_base)
        refuse_nothing(found, held_of(self.source, Plan(), self.world), reads_groups=asked)
        return found

    def weigh(self, made: Plan) -> dict[str, str]:
        """Return why the plan has to wait, having kept what it would do."""
        reasons, self.held = reasons_to_wait(self.source, made, self.settings, self.world)
        told = shown(made, meaning(self.source, made, self.world, self.watch))
        runs.note_preview(self.run, told, reasons=tuple(reasons.values()), problems=_told(made.problems))
        self.watch("comparing", 0, len(made.groups) + len(made.people))
        return reasons

    def is_approved(self, made: Plan) -> bool:
        """Return whether somebody approved this run, and nothing graver is in it than they saw."""
        return self.run.approved_at is not None and made.grave <= set(self.run.grave)

    def hold(self, made: Plan, reasons: dict[str, str]) -> None:
        """Wait for somebody's approval."""
        runs.hold(self.run, worker=self.worker, reasons=tuple(reasons.values()), grave=made.grave, by=BY)

    def apply(self, made: Plan, *, approved: bool) -> tuple[Problem, ...]:
        """Do the plan, and have what it takes away count against what comes after it, unless it was approved."""
        if self.held is not None and not approved:
            held = self.held if made.groups else replace(self.held, unnested=0)
            with change(BY) as draft:
                draft.kept = True
                runs.count(self.source, counted(made, held))
        return apply(self.source, made, by=BY, progress=self.watch)

    def end(self, made: Plan, cursor: str, failed: tuple[Problem, ...] = ()) -> None:
        """Write down that it is done."""
        problems = _told((*made.problems, *failed))
        runs.end(self.run, worker=self.worker, counts=made.counts(), problems=problems, cursor=cursor, by=BY)

    def remove(self) -> None:
        """Take back everything that came from the directory, once somebody approved that, and forget it."""
        self.watch("comparing", 0, 0)
        made = self.removal()
        self.weigh(made)
        last = held_of(self.source, made, self.world).last_administrators
        if last:
            message = f"nobody could administer any more: {', '.join(last)} would be locked out"
            raise Conflict(message)
        if not self.is_approved(made):
            self.hold(made, {"removal": "everything that came from the directory would be taken back"})
            return
        by = Actor.person(self.run.approved_by)
        # From now on nobody signs in by it and nothing is pushed: whatever came until now is in the plan made below.
        sources.edit(self.source, enabled=False, by=by)
        failed = apply(self.source, self.removal(), by=BY, progress=self.watch)
        if failed:
            self.end(made, "", failed)
            return
        sources.forget(self.source, by=by)

    def removal(self) -> Plan:
        """Return the steps that take everything back."""
        return plan_removal(everything(self.source, Observed(), self.settings))


def observe(source: Source, settings: Common, *, full: bool, watch: Watch) -> Observed:
    """Return what a directory shows, everything or what changed since its cursor."""
    if not isinstance(settings, LdapSettings):
        message = f"{source} cannot be read; it tells by itself"
        raise DirectoryFailed(message)
    try:
        from authz.directory.ldap.reading import read_directory  # noqa: PLC0415  python-ldap may be missing
    except ImportError as error:
        message = f"python-ldap is not installed, so that no LDAP directory can be read ({error})"
        raise DirectoryFailed(message) from error
    return read_directory(source, settings, since="" if full else source.cursor, watch=watch)


def compare(source: Source, observed: Observed, settings: Common, *, whole: bool = False) -> Plan:
    """Return what has to be done for those whom something was told of, or for everybody who is known."""
    members = sum(len(group.members or ()) for group in observed.groups.values())
    small = not whole and not observed.complete and len(observed.people) + members <= MOST_CONCERNED
    known = (concerned if small else everything)(source, observed, settings)
    return plan(observed, known, settings)


def _told(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    return [(each.subject, each.why) for each in problems]
