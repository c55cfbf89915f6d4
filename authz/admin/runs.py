"""The screen of runs: what a directory changed or would change, how far it is, and what waits for approval."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from audit.context import Actor
from authz.admin.act import Act
from authz.admin.base import VerbAdmin
from authz.admin.columns import when
from authz.admin.decorators import badge, button
from authz.changes import runs
from authz.models import Run
from authz.tasks import wake

REFRESH = 3
"""Seconds after which a browser looks again at a run that is under way."""
COLOURS = {
    "queued": "info", "running": "info", "waiting": "warning", "done": "success", "failed": "danger",
    "dismissed": "default",
}  # fmt: skip


def approve(run: Run, *, by: Actor, seen: str) -> None:
    """Approve what a run waits for, as far as it has been seen, and have it done."""
    runs.approve(run, by=by, seen=seen)
    transaction.on_commit(wake)


def approval_of(run: Run) -> Act:
    """Return how approving a run is asked: the question says what is shown now, and the answer holds for that alone."""
    seal = runs.seal(run)

    class Seen(forms.Form):
        """Carries what was seen from the question to the answer."""

        seen = forms.CharField(widget=forms.HiddenInput(), initial=seal)

    again = "The client that pushed it will try again" if run.mode == Run.PUSH else "The directory is read once more"
    return Act(
        title="Approve",
        warning=f"{'; '.join(run.reasons)}. {again}: what is shown on the page before is done then, no more.",
        do=approve,
        done="Approved; it is being done.",
        asks=Seen,
    )


DISMISS = Act(
    title="Dismiss",
    warning="It is not done. The next run compares again, and may wait again.",
    do=runs.dismiss,
    done="Dismissed.",
    danger=False,
)


class Runs(VerbAdmin[Run]):
    """Runs of directories."""

    list_display = ("at", "source", "mode", "how", "what", "asked_by")
    list_filter = ("state", "mode", "source")
    search_fields = ("source__name", "asked_by")
    search_help_text = "Search by directory or by who asked"
    actions_detail = ("approve", "dismiss")
    at = when("queued_at", "asked")
    ended = when("ended_at", "ended", never="not yet")
    fieldsets = (
        (None, {"fields": ("source", "mode", "stands", "progress", "reasons_why", "failure_told")}),
        ("What it does", {"fields": ("what", "people", "groups", "memberships", "access", "not_done")}),
        ("Record", {"fields": ("asked_by", "at", "ended", "approval")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Leave what is long to where it is shown."""
        found: QuerySet[Run] = super().get_queryset(request).select_related("source")
        if request.resolver_match is None or not str(request.resolver_match.url_name).endswith("changelist"):
            return found
        return found.defer("grave", "problems")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Leave asking to the screen of directories."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Leave a run as it is; it is approved or dismissed."""
        return False

    def offers(self, row: Run) -> tuple[str, ...]:
        """Offer to decide about what waits."""
        waits = ("approve", "dismiss") if row.state == Run.WAITING else ()
        return waits or (("dismiss",) if row.state == Run.QUEUED else ())

    def in_the_book(self, row: Run) -> tuple[str, ...]:
        """Return its directory."""
        return (str(row.source),)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ANN401  Django's own
        """Look again after a while, as long as it is under way."""
        answer = super().changeform_view(request, *args, **kwargs)
        number = str(args[0] if args else kwargs.get("object_id"))
        under_way = Run.objects.filter(state__in=(Run.QUEUED, Run.RUNNING))
        if request.method == "GET" and number.isdecimal() and under_way.filter(pk=number).exists():
            answer.headers["Refresh"] = str(REFRESH)
        return answer

    @badge("state", ordering="state", **COLOURS)
    def how(self, run: Run) -> tuple[str, str]:
        """Return how it stands."""
        return run.state, run.get_state_display()

    @admin.display(description="state")
    def stands(self, run: Run) -> str:
        """Return how it stands, in words alone."""
        return run.get_state_display()

    @admin.display(description="progress")
    def progress(self, run: Run) -> SafeString | str:
        """Return how far it is."""
        if run.state != Run.RUNNING:
            return "waits for a worker" if run.state == Run.QUEUED else "—"
        if not run.steps:
            return run.stage or "begun"
        bar = '<progress class="w-64" value="{0}" max="{1}" aria-label="{2}"></progress> {2}: {0} of {1}'
        return format_html(bar, run.steps_done, run.steps, run.stage)

    @admin.display(description="waits because")
    def reasons_why(self, run: Run) -> SafeString | str:
        """Return why it waits."""
        if run.mode == Run.PREVIEW and run.reasons:
            return _listed(f"{reason} (it would wait for approval)" for reason in run.reasons)
        return _listed(run.reasons) if run.state == Run.WAITING else "—"

    @admin.display(description="failure")
    def failure_told(self, run: Run) -> str:
        """Return why it failed."""
        return run.failure or "—"

    @admin.display(description="in numbers")
    def what(self, run: Run) -> str:
        """Return how much it changes."""
        counts = run.preview.get("counts")
        if counts is None:
            return "—"
        told = (f"{number} {name.replace('_', ' ')}" for name, number in counts.items())
        return ", ".join(told) or "nothing: all agrees"

    @admin.display(description="people")
    def people(self, run: Run) -> SafeString | str:
        """Return who is gained, lost and changed."""
        return _parts(run.preview.get("people", {}))

    @admin.display(description="groups")
    def groups(self, run: Run) -> SafeString | str:
        """Return which are gained, lost and changed."""
        return _parts(run.preview.get("groups", {}))

    @admin.display(description="memberships")
    def memberships(self, run: Run) -> SafeString | str:
        """Return who comes into which groups, and out of which."""
        return _parts(run.preview.get("memberships", {}))

    @admin.display(description="access")
    def access(self, run: Run) -> SafeString | str:
        """Return who gains or loses access to what."""
        told = run.preview.get("access")
        if told is None:
            return "—"
        parts = _parts({name: lines for name, lines in told.items() if isinstance(lines, list)})
        if told["judged"] == told["concerned"]:
            return parts
        return format_html("{}<p>Judged for {} of {} people.</p>", parts, told["judged"], told["concerned"])

    @admin.display(description="could not be done")
    def not_done(self, run: Run) -> SafeString | str:
        """Return what could not be taken over."""
        return _listed(f"{subject}: {why}" for subject, why in run.problems) if run.problems else "—"

    @admin.display(description="approved")
    def approval(self, run: Run) -> str:
        """Return who approved it, and when."""
        return f"by {run.approved_by} at {run.approved_at:%Y-%m-%d %H:%M} (UTC)" if run.approved_at else "—"

    @button("Approve", path="approve", icon="check", danger=True)
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Approve."""
        run = self.get_object(request, object_id)
        if run is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        return self.act_on(request, object_id, approval_of(run))

    @button("Dismiss", path="dismiss", icon="close")
    def dismiss(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Dismiss."""
        return self.act_on(request, object_id, DISMISS)


def _parts(told: dict[str, list[str]]) -> SafeString | str:
    """Return lists under their names; a long one can be opened."""
    found = [(name, len(lines), _listed(lines)) for name, lines in told.items() if lines]
    if not found:
        return "—"
    one = '<details class="mb-2"{}><summary class="cursor-pointer">{} ({})</summary>{}</details>'
    return format_html_join(
        "", one, ((SafeString(" open") if size <= FEW else "", name, size, lines) for name, size, lines in found)
    )


FEW = 20
"""Lines that are shown without being asked for."""


def _listed(lines: Iterable[str]) -> SafeString:
    items = format_html_join("", '<li class="break-all">{}</li>', ((line,) for line in lines))
    return format_html('<ul class="list-disc list-inside leading-relaxed">{}</ul>', items)
