"""Runs of directories: ask for, claim, keep, hold, approve, dismiss, end; each is a row, so that none is lost.

Whoever works on a run holds a lease on it and renews it while it goes on; one whose lease ran out was killed, and
anybody may claim the run anew. What it did is done, and what is left is found by comparing again.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from audit import events
from audit.context import Actor
from authz.changes.change import change
from authz.changes.edits import assign
from authz.errors import Conflict, InvalidName
from authz.formats.sources import LdapSettings, read
from authz.models import Run, Source, Toll

LEASE = timedelta(minutes=2)
"""For how long a run is its worker's without a sign of life."""
MOST_ATTEMPTS = 5
"""After which a run that never comes to its end is given up."""
APPROVED_FOR = timedelta(hours=1)
"""How long an approval of pushed changes holds: until then the client has tried again."""
KEPT = 200
"""Runs of a directory that are remembered."""
RETRY = timedelta(minutes=1)
"""After a failure a directory is tried again soon, and then less and less often, up to its own interval."""
TOLLED_FOR = timedelta(hours=2)
"""For how long it is kept what a directory took away; it counts for half of that."""
MOST_REASONS = 20
UNREADABLE = timedelta(minutes=15)
"""How often a directory is tried whose settings cannot be read."""
OPEN = (Run.QUEUED, Run.RUNNING, Run.WAITING)
SCHEDULED = (Run.FULL, Run.CHANGES)
UNREAD = (Run.RULES, Run.REMOVAL)
"""Runs that read nothing, and so are for directories of every kind."""
ALWAYS = (Run.PREVIEW, Run.REMOVAL)
"""Runs that go on though their directory is switched off."""


def ask(source: Source, *, by: Actor, mode: str = Run.FULL) -> Run:
    """Ask for a run; one that waits to be begun already is the answer. Conflict if the directory cannot be read."""
    if source.kind != Source.LDAP and mode not in UNREAD:
        message = f"{source} cannot be read; it tells by itself"
        raise Conflict(message)
    with change(by) as draft:
        if not Source.objects.filter(pk=source.pk, enabled=True).exists() and mode not in ALWAYS:
            message = f"the directory {source} is switched off"
            raise Conflict(message)
        queued = Run.objects.filter(source=source, state=Run.QUEUED, mode=mode).first()
        if queued is not None:
            return queued
        run = Run.objects.create(source=source, mode=mode, asked_by=by.name)
        draft.kept = True
        if by.kind != "system":
            draft.say(events.RunQueued(directory=str(source), run=run.pk, mode=mode))
        old = Run.objects.filter(source=source).exclude(state__in=OPEN).values_list("pk", flat=True)[KEPT : KEPT + 500]
        Run.objects.filter(pk__in=list(old)).delete()
    return run


def claim(*, worker: str) -> Run | None:
    """Return the next run to work on, which is this worker's now; None if there is none, or if it is somebody's."""
    now = timezone.now()
    ready = Run.objects.filter(Q(state=Run.QUEUED) | Q(state=Run.RUNNING, leased_until__lt=now))
    # Running ones first: they were begun, and their worker is gone.
    for run in list(ready.order_by("-state", "pk").only("pk", "state", "leased_until", "started_at", "attempts")[:50]):
        try:
            with transaction.atomic():
                mine = Run.objects.filter(pk=run.pk, state=run.state, leased_until=run.leased_until).update(
                    state=Run.RUNNING,
                    worker=worker,
                    leased_until=now + LEASE,
                    started_at=run.started_at or now,
                    attempts=run.attempts + 1,
                )
        except IntegrityError:
            continue  # another run of the same directory is under way
        if mine:
            return Run.objects.select_related("source").get(pk=run.pk)
    return None


def keep(run: Run, *, worker: str, stage: str, done: int, steps: int) -> bool:
    """Tell how far a run is and renew its lease; False if it must stop.

    That is so if it is this worker's no longer, or if its directory was switched off.
    """
    mine = _mine(run, worker)
    if run.mode not in ALWAYS:
        mine = mine.filter(source__enabled=True)
    return bool(
        mine.update(leased_until=timezone.now() + LEASE, stage=stage[:40], steps_done=done, steps=max(steps, done))
    )


def _mine(run: Run, worker: str) -> QuerySet[Run]:
    return Run.objects.filter(pk=run.pk, worker=worker, state=Run.RUNNING)


def note_preview(
    run: Run, preview: dict[str, Any], *, reasons: Sequence[str], problems: Sequence[tuple[str, str]]
) -> None:
    """Keep what a run would do, and why it would have to wait."""
    Run.objects.filter(pk=run.pk).update(
        preview=preview, reasons=list(reasons), problems=[list(each) for each in problems][:1000]
    )


def hold(run: Run, *, worker: str, reasons: Sequence[str], grave: frozenset[str], by: Actor) -> None:
    """Let a run wait for somebody's approval, in the place of older ones that waited.

    One that waits for exactly the same already stays, and this one goes: nobody has to look at it twice.
    """
    with change(by) as draft:
        draft.kept = True
        words = sorted(grave)
        older = Run.objects.filter(source=run.source, state=Run.WAITING, mode__in=SCHEDULED).exclude(pk=run.pk)
        same = next((each for each in older if each.grave == words and run.mode in SCHEDULED), None)
        state = Run.DISMISSED if same is not None else Run.WAITING
        held = _mine(run, worker).update(
            state=state, reasons=list(reasons), grave=words if same is None else [], leased_until=None, stage="",
            failure=f"the same waits already, since {same.queued_at:%Y-%m-%d %H:%M}" if same is not None else "",
        )  # fmt: skip
        if held and same is None:
            if run.mode in SCHEDULED:
                older.update(
                    state=Run.DISMISSED, ended_at=timezone.now(), grave=[], failure="a newer run waits instead"
                )
            draft.say(events.RunHeld(directory=str(run.source), run=run.pk, reasons=tuple(reasons)))
    _next_due(run.source, failed=False)


def hold_push(
    source: Source, *, reasons: Sequence[str], grave: frozenset[str], preview: dict[str, Any], by: Actor
) -> Run:
    """Let something that was pushed wait for approval, beside whatever waits already; the client will try again."""
    with change(by) as draft:
        draft.kept = True
        run = Run.objects.filter(source=source, mode=Run.PUSH, state=Run.WAITING).first()
        if run is None:
            run = Run.objects.create(
                source=source, mode=Run.PUSH, state=Run.WAITING, asked_by=by.name, reasons=list(reasons),
                grave=sorted(grave), preview=preview,
            )  # fmt: skip
            draft.say(events.RunHeld(directory=str(source), run=run.pk, reasons=tuple(reasons)))
        elif not grave <= set(run.grave):
            together = list(dict.fromkeys([*run.reasons, *reasons]))[-MOST_REASONS:]
            assign(
                run,
                {
                    "grave": sorted(grave | set(run.grave)), "reasons": together,
                    "preview": _together(run.preview, preview),
                },
            )  # fmt: skip
    return run


def _together(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return two previews as one: numbers are added, lines come one after the other, each once."""
    found = dict(before)
    for name, value in after.items():
        held = before.get(name)
        if isinstance(value, dict) and isinstance(held, dict):
            found[name] = _together(held, value)
        elif isinstance(value, list) and isinstance(held, list):
            found[name] = list(dict.fromkeys([*held, *value]))
        elif isinstance(value, int) and isinstance(held, int):
            found[name] = held + value
        else:
            found[name] = value
    return found


def is_approved(source: Source, grave: frozenset[str]) -> bool:
    """Return whether somebody has approved all of this lately."""
    since = timezone.now() - APPROVED_FOR
    approved = Run.objects.filter(source=source, mode=Run.PUSH, approved_at__gt=since).values_list("grave", flat=True)
    return grave <= {words for each in approved for words in each}


def count(source: Source, counts: dict[str, int]) -> None:
    """Note what a directory takes away without having been asked about it; called inside the change that does it."""
    if counts:
        Toll.objects.filter(at__lte=timezone.now() - TOLLED_FOR).delete()
        Toll.objects.create(source=source, counts=counts)


def seal(run: Run) -> str:
    """Return what stands for everything grave that a run waits for: whoever approves says what they have seen."""
    return hashlib.sha256("\n".join(run.grave).encode("utf-8", "surrogateescape")).hexdigest()


def approve(run: Run, *, by: Actor, seen: str | None = None) -> Run:
    """Approve what a run waits for: it compares again, and does that and nothing graver.

    With `seen`, Conflict if more waits by now than whoever approves has seen.
    """
    with change(by) as draft:
        run = Run.objects.select_related("source").get(pk=run.pk)
        if run.state != Run.WAITING:
            message = f"this run is {run.get_state_display()} and waits for nothing"
            raise Conflict(message)
        if seen is not None and seen != seal(run):
            message = "more has come since you looked; look again, and then decide"
            raise Conflict(message)
        state = Run.DONE if run.mode == Run.PUSH else Run.QUEUED
        assign(run, {"state": state, "approved_by": by.name, "approved_at": timezone.now(), "attempts": 0})
        draft.say(events.RunApproved(directory=str(run.source), run=run.pk, reasons=tuple(run.reasons)))
    return run


def dismiss(run: Run, *, by: Actor) -> Run:
    """Decide that what a run waits for, or is queued for, shall not be done."""
    with change(by) as draft:
        run = Run.objects.select_related("source").get(pk=run.pk)
        if run.state not in {Run.WAITING, Run.QUEUED}:
            message = f"this run is {run.get_state_display()}"
            raise Conflict(message)
        assign(run, {"state": Run.DISMISSED, "ended_at": timezone.now(), "grave": []})
        draft.say(events.RunDismissed(directory=str(run.source), run=run.pk))
    return run


def end(  # noqa: PLR0913  one argument for each thing a run ends with
    run: Run, *, worker: str, counts: dict[str, int], problems: Sequence[tuple[str, str]], cursor: str, by: Actor
) -> None:
    """Write down that a run came to its end, and when the directory is due again."""
    now = timezone.now()
    with change(by) as draft:
        draft.kept = True
        source = Source.objects.get(pk=run.source_id)
        ended = _mine(run, worker).update(
            state=Run.DONE, ended_at=now, leased_until=None, stage="", grave=[],
            problems=[list(each) for each in problems][:1000],
        )  # fmt: skip
        if not ended or run.mode == Run.PREVIEW:
            return
        if run.mode in SCHEDULED:
            # What was read by other settings than there are now says nothing of what these would show.
            same = source.settings == run.source.settings
            news: dict[str, Any] = {
                "read_at": now,
                "failing_since": None,
                "failure": "",
                "cursor": cursor if same else "",
            }
            if run.mode == Run.FULL and same:
                news["full_at"] = now
            assign(source, news)
        draft.say(events.RunDone(directory=str(source), run=run.pk, counts=counts, problems=len(problems)))
    if run.mode in SCHEDULED:
        _next_due(source, failed=False)


def fail(run: Run, *, worker: str, why: str, by: Actor, again: bool = False) -> None:
    """Write down that a run failed; the directory is named in health until one succeeds."""
    now = timezone.now()
    with change(by) as draft:
        draft.kept = True
        source = Source.objects.get(pk=run.source_id)
        retried = again and run.attempts < MOST_ATTEMPTS
        failed = _mine(run, worker).update(
            state=Run.QUEUED if retried else Run.FAILED, ended_at=None if retried else now, leased_until=None,
            failure=why,
        )  # fmt: skip
        if not failed or run.mode == Run.PREVIEW:
            return
        assign(source, {"failing_since": source.failing_since or now, "failure": why})
        draft.say(events.RunFailed(directory=str(source), run=run.pk, failure=why))
    _next_due(source, failed=True)


def _next_due(source: Source, *, failed: bool) -> None:
    if source.kind != Source.LDAP:
        return
    try:
        interval = timedelta(minutes=read(LdapSettings, source.settings).every_minutes)
    except InvalidName:  # stored by another version: its own runs fail and say so, and those of others go on
        interval = UNREADABLE
    now = timezone.now()
    if failed:
        since = now - (source.failing_since or now)
        interval = min(interval, max(RETRY, since))
    Source.objects.filter(pk=source.pk).update(due_at=now + interval)


def due(*, now: datetime) -> list[Source]:
    """Return the directories that are to be read now and that no run is open for."""
    rows = Source.objects.filter(kind=Source.LDAP, enabled=True).filter(Q(due_at=None) | Q(due_at__lte=now))
    # One that waits for approval holds up nothing: what comes after it may be harmless.
    return list(rows.exclude(runs__state__in=(Run.QUEUED, Run.RUNNING)))
