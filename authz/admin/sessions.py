"""The screen of sessions: who is signed in where, and an end to it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString

from audit.context import Actor
from authz.admin.act import Act, Reason
from authz.admin.base import VerbAdmin
from authz.admin.columns import utc, when
from authz.admin.decorators import badge, button
from authz.admin.devices import described
from authz.admin.filters import Conditions
from authz.changes import sessions
from authz.models import Session


class SessionState(Conditions):
    """By whether a session is open; one that lay idle too long is listed as open until its latest end."""

    title = parameter_name = "state"
    conditions: ClassVar = {
        "open": ("open", lambda now: Q(ended_at=None, until__gt=now)),
        "ended": ("ended", lambda now: Q(ended_at__isnull=False) | Q(until__lte=now)),
    }


def end(session: Session, *, by: Actor, reason: str) -> Session:
    """End a session, and say who did."""
    return sessions.end(session, by=by, because=reason or "ended by an administrator")


END = Act(
    title="End",
    warning="Whoever uses it is signed out, from the next request on.",
    do=end,
    done="Ended: {n}.",
    asks=Reason,
)


def last_moment(session: Session) -> datetime:
    """Return when a session ended, or will end if it is not used again."""
    return session.ended_at or min(session.until, session.seen_at + timedelta(seconds=session.idle))


class Sessions(VerbAdmin[Session]):
    """Sessions."""

    list_display = ("person", "state", "browser", "address", "started", "seen", "ends")
    list_filter = (SessionState,)
    list_select_related = ("person",)
    search_fields = ("person__email", "address", "device")
    show_full_result_count = False
    search_help_text = "Search by e-mail, address or device"
    actions = ("end_selected",)
    actions_detail = ("end",)
    fieldsets = (
        (None, {"fields": ("person", "state", "device", "address")}),
        ("Times", {"fields": ("started", "seen", "ends", "latest", "ended", "ended_because")}),
    )
    started = when("started_at", "started")
    seen = when("seen_at", "last seen")
    latest = when("until", "ends at the latest")
    ended = when("ended_at", "ended", never="no")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Leave beginning to the login page."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Leave a session as it is, but for its end."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        """Return sessions with whom they belong to, of whom every page speaks."""
        found: QuerySet[Session] = super().get_queryset(request).select_related("person")
        return found

    def offers(self, row: Session) -> Collection[str]:
        """Offer to end what is open."""
        return ("end",) if self.state(row) == "open" else ()

    def in_the_book(self, row: Session) -> tuple[str, ...]:
        """Return whose it is."""
        return (row.person.email,)

    @badge("state", open="success")
    def state(self, session: Session) -> str:
        """Return whether it is open."""
        return "open" if session.ended_at is None and last_moment(session) > timezone.now() else "ended"

    @admin.display(description="device", ordering="device")
    def browser(self, session: Session) -> str:
        """Return the device in a few words."""
        return described(session.device)

    @admin.display(description="ends (UTC)")
    def ends(self, session: Session) -> SafeString:
        """Return when it ended, or will if it is not used again."""
        return utc(last_moment(session))

    @button("End", path="end", icon="logout", danger=True)
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End one."""
        return self.act_on(request, object_id, END)

    @admin.action(description="End")
    def end_selected(self, request: HttpRequest, queryset: QuerySet[Session]) -> HttpResponse | None:
        """End several."""
        return self.act_on_all(request, queryset, END)
