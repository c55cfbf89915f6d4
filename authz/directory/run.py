"""Works on one run of a directory: read, plan, brake, apply, report; begun again, it does what is left."""

import logging
import os
import secrets
import socket
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from audit.context import Actor
from authz.changes import runs, sources
from authz.directory.apply import apply
from authz.directory.brake import refuse_nothing
from authz.directory.held import concerned, everything
from authz.directory.observed import Observed, Problem
from authz.directory.plan import Plan, plan
from authz.directory.removal import plan_removal
from authz.directory.shown import shown
from authz.directory.weighed import held_of, meaning, reasons_to_wait
from authz.errors import AuthzError, Conflict, DirectoryFailed
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
    settings = read(LdapSettings, source.settings)
    since = (timezone.now() - source.full_at).total_seconds() if source.full_at else float("inf")
    return Run.CHANGES if source.cursor and since < settings.full_every_hours * 3600 else Run.FULL


def work_on(run: Run, *, worker: str) -> None:
    """Bring one run to its end, or to where somebody has to approve it; whatever fails is written down."""

    def watch(stage: str, done: int, steps: int) -> None:
        if not runs.keep(run, worker=worker, stage=stage, done=done, steps=steps):
            raise LostRun

    if run.attempts > runs.MOST_ATTEMPTS:
        runs.fail(run, why=f"it was begun {run.attempts - 1} times and never came to its end", by=BY)
        return
    try:
        _work_on(run, watch)
    except LostRun:
        log.warning("directory.run_lost", extra={"directory": str(run.source), "run": run.pk})
    except AuthzError as error:
        _failed(run, str(error))
    except Exception as error:
        log.exception("directory.run_broken", extra={"directory": str(run.source), "run": run.pk})
        _failed(run, f"an error of our own: {type(error).__name__}", again=True)


def _failed(run: Run, why: str, *, again: bool = False) -> None:
    log.error("directory.failed", extra={"directory": str(run.source), "run": run.pk, "failure": why})
    runs.fail(run, why=why, by=BY, again=again)


def _work_on(run: Run, watch: Watch) -> None:
    source = run.source
    if run.mode == Run.REMOVAL:
        _remove(run, watch)
        return
    if not source.enabled and run.mode != Run.PREVIEW:
        message = f"the directory {source} is switched off"
        raise Conflict(message)
    settings = read(KINDS[source.kind], source.settings)
    watch("reading", 0, 0)
    observed = observe(source, settings, full=run.mode != Run.CHANGES, watch=watch)
    watch("comparing", 0, 0)
    world = current_world()
    refuse_nothing(observed, held_of(source, Plan(), world))
    made = compare(source, observed, settings)
    reasons = reasons_to_wait(source, made, settings, world)
    _note(run, made, reasons, shown(made, meaning(source, made, world)))
    watch("comparing", 0, len(made.groups) + len(made.people))
    if run.mode == Run.PREVIEW:
        runs.end(run, counts=made.counts(), problems=_told(made.problems), cursor=source.cursor, by=BY)
        return
    if reasons and not _is_approved(run, made):
        runs.hold(run, reasons=reasons, grave=made.grave, by=BY)
        return
    failed = apply(source, made, by=BY, progress=watch)
    cursor = "" if failed else observed.cursor
    runs.end(run, counts=made.counts(), problems=_told((*made.problems, *failed)), cursor=cursor, by=BY)


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


def compare(source: Source, observed: Observed, settings: Common) -> Plan:
    """Return what has to be done."""
    members = sum(len(group.members or ()) for group in observed.groups.values())
    small = not observed.complete and len(observed.people) + members <= MOST_CONCERNED
    known = (concerned if small else everything)(source, observed, settings)
    return plan(observed, known, settings)


def _remove(run: Run, watch: Watch) -> None:
    source = run.source
    settings = read(KINDS[source.kind], source.settings)
    watch("comparing", 0, 0)
    made = plan_removal(everything(source, Observed(), settings))
    world = current_world()
    reasons = ("everything that came from the directory would be taken back",)
    _note(run, made, reasons, shown(made, meaning(source, made, world)))
    last = held_of(source, made, world).last_administrators
    if last:
        message = f"nobody could administer any more: {', '.join(last)} would be locked out"
        raise Conflict(message)
    if not _is_approved(run, made):
        runs.hold(run, reasons=reasons, grave=made.grave, by=BY)
        return
    failed = apply(source, made, by=BY, progress=watch)
    if failed:
        runs.end(run, counts=made.counts(), problems=_told(failed), cursor="", by=BY)
        return
    sources.forget(source, by=Actor.person(run.approved_by))


def _is_approved(run: Run, made: Plan) -> bool:
    """Return whether somebody approved this run, and nothing graver is in it than they saw."""
    return run.approved_at is not None and made.grave <= set(run.grave)


def _note(run: Run, made: Plan, reasons: tuple[str, ...], preview: dict[str, Any]) -> None:
    runs.note_preview(run, preview, reasons=reasons, problems=_told(made.problems))


def _told(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    return [(each.subject, each.why) for each in problems]
