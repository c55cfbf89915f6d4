"""The screen of live connections: who is connected to what, and an end to it."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.context import Actor
from authz.admin.act import Act, Reason, ask
from authz.admin.base import VerbAdmin
from authz.admin.columns import utc, when
from authz.admin.decorators import button
from authz.admin.filters import Conditions
from authz.changes import connections
from authz.lookups.connections import because, by_what, where_to, with_issuers
from authz.models import Connection, User

KINDS = {"relay": "relayed WebSocket", "rpc": "WebSocket", "tcp": "TCP"}
PAGES = {"session": "session", "key": "apikey", "jwt": "issuer"}
"""Where to read more of what was shown, by its kind."""


class Kind(Conditions):
    """By what they are for."""

    title = parameter_name = "kind"
    conditions: ClassVar = {
        "relay": (KINDS["relay"], lambda _now: Q(kind="relay")),
        "rpc": (KINDS["rpc"], lambda _now: Q(kind="rpc")),
        "tcp": (KINDS["tcp"], lambda _now: Q(kind="tcp")),
    }


def disconnect(connection: Connection, *, by: Actor, reason: str) -> None:
    """End a connection, and say who did."""
    connections.hang_up(connection, by=by, because=reason or "disconnected by an administrator")


def disconnect_all(person: User, *, by: Actor, reason: str) -> None:
    """End all connections of somebody, and say who did."""
    connections.hang_up_all(person, by=by, because=reason or "disconnected by an administrator")


DISCONNECT = Act(
    title="Disconnect",
    warning="The connection ends at once, and its client is told not to come back by itself (4005). "
    "Whoever still may can open another one.",
    do=disconnect,
    done="Disconnected: {n}.",
    asks=Reason,
)
DISCONNECT_ALL = Act(
    title="Disconnect all of this person",
    warning="Every connection that they have now ends at once. Whoever still may can open another one.",
    do=disconnect_all,
    done="All connections of this person were ended.",
    asks=Reason,
)


class Connections(VerbAdmin[Connection]):
    """Live connections; one that ends is gone from here, also while somebody looks at it."""

    list_display = ("person", "leads", "since", "address", "by", "traffic", "ends")
    list_filter = (Kind, ("server", admin.RelatedOnlyFieldListFilter))
    search_fields = ("person__email", "address", "server__name")
    show_full_result_count = False
    search_help_text = "Search by e-mail, address or server"
    actions = ("disconnect_selected",)
    actions_detail = ("disconnect", "disconnect_all")
    fieldsets = (
        (None, {"fields": ("person", "to", "purpose", "address", "origin", "by")}),
        ("Record", {"fields": ("since", "ends", "ends_because", "traffic", "process")}),
    )
    since = when("opened_at", "since")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Leave opening to clients."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Leave a connection as it is, but for its end."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connection]:
        """Return the connections of processes that are alive."""
        return with_issuers()

    def in_the_book(self, row: Connection) -> tuple[str, ...]:
        """Return whose it is."""
        return (row.person.email,)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, *_: object) -> HttpResponse:
        """Say what became of a connection that is not there any more."""
        self.message_user(request, "This connection has ended meanwhile.", messages.WARNING)
        return HttpResponseRedirect(self.address("changelist"))

    @admin.display(description="to", ordering="server__name")
    def to(self, connection: Connection) -> str:
        """Return what it leads to."""
        return where_to(connection)

    @admin.display(description="to", ordering="server__name")
    def leads(self, connection: Connection) -> SafeString:
        """Return what it leads to, and what it is for, in one column."""
        return _two_lines(self.to(connection), self.purpose(connection))

    @admin.display(description="kind", ordering="kind")
    def purpose(self, connection: Connection) -> str:
        """Return what it is for."""
        return KINDS.get(connection.kind, connection.kind)

    @admin.display(description="by", ordering="credential")
    def by(self, connection: Connection) -> SafeString:
        """Return what was shown for it, with a link to it."""
        kind, _, number = connection.credential.partition(":")
        page = reverse(f"admin:authz_{PAGES[kind]}_change", args=(number,))
        return format_html('<a class="text-link whitespace-nowrap" href="{}">{}</a>', page, by_what(connection))

    @admin.display(description="received / sent")
    def traffic(self, connection: Connection) -> SafeString:
        """Return the bytes of messages from the client and to it."""
        both = f"{filesizeformat(connection.received)} / {filesizeformat(connection.sent)}"
        return format_html('<span class="whitespace-nowrap">{}</span>', both)

    @admin.display(description="ends (UTC)", ordering="ends_at")
    def ends(self, connection: Connection) -> SafeString:
        """Return when it ends at the latest, and why, in a few words."""
        return _two_lines(utc(connection.ends_at), because(connection))

    @button("Disconnect", path="disconnect", icon="link_off", danger=True)
    def disconnect(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End one."""
        return self.act_on(request, object_id, DISCONNECT, back=self.address("changelist"))

    @button("Disconnect all of this person", path="disconnect-all", icon="person_off", danger=True)
    def disconnect_all(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End all that the same person has."""
        row: Any = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return ask(self, request, DISCONNECT_ALL, [row.person], back=self.address("changelist"))

    @admin.action(description="Disconnect")
    def disconnect_selected(self, request: HttpRequest, queryset: QuerySet[Connection]) -> HttpResponse | None:
        """End several."""
        return self.act_on_all(request, queryset, DISCONNECT)


def _two_lines(first: str, second: str) -> SafeString:
    return format_html('<span class="block">{}<br><span class="text-xs">{}</span></span>', first, second)
