"""The screen of grants: who may do what to which server."""

from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from audit.context import Actor
from authz.admin.act import Act, Reason
from authz.admin.base import VerbAdmin
from authz.admin.columns import several, when
from authz.admin.fields import LinesField
from authz.admin.filters import Conditions, Ends
from authz.admin.forms import VerbForm
from authz.changes import grants
from authz.formats.labels import parse_label
from authz.formats.networks import parse_network
from authz.models import Grant, Server

GIVEN = ("group", "person", "server", "action", "tools", "until", "networks", "reason")


class GrantForm(VerbForm):
    """Gives or edits a grant."""

    tools = LinesField(
        parse=partial(parse_label, what="tool name"),
        required=False,
        help_text="Names or patterns with *, one per line, such as get_*; empty means every tool.",
    )
    networks = LinesField(
        parse=parse_network,
        required=False,
        help_text="Networks it holds from, such as 10.0.0.0/8, one per line; empty means any.",
    )

    def clean_tools(self) -> list[str] | None:
        """Return None for every tool."""
        return self.cleaned_data["tools"] or None

    def clean(self) -> dict[str, Any]:
        """Refuse two holders or none, and tools where there are none."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not {"group", "person"} & self.errors.keys():
            if cleaned.get("group") and cleaned.get("person"):
                self.add_error("person", "Name either a group or a person, not both.")
            elif not cleaned.get("group") and not cleaned.get("person"):
                self.add_error("group", "Name a group, or a person below.")
        server = cleaned.get("server")
        if cleaned.get("tools") and server and server.kind != Server.Kinds.MCP:
            self.add_error("tools", f"{server} is not an MCP server; a grant on it cannot be limited to tools.")
        return cleaned


class Holder(Conditions):
    """By whether a group or one person holds it."""

    title = parameter_name = "holder"
    conditions: ClassVar = {
        "group": ("group", lambda _now: Q(person=None)),
        "person": ("person or service", lambda _now: Q(group=None)),
    }


REMOVE = Act(
    title="Take back",
    warning="What it opened is closed from the next request on, unless another grant opens it.",
    do=grants.remove,
    done="Taken back: {n}.",
    asks=Reason,
)


class Grants(VerbAdmin[Grant]):
    """Grants."""

    form = GrantForm
    removal = REMOVE
    list_display = ("holder", "action", "server", "only_tools", "only_from", "ends", "reason", "given_by")
    list_filter = (Holder, "action", ("server__kind", admin.ChoicesFieldListFilter), Ends)
    list_select_related = ("group", "person", "server")
    search_fields = ("group__name", "person__email", "server__name")
    show_full_result_count = False
    search_help_text = "Search by group, e-mail or server"
    ordering = ("-pk",)
    autocomplete_fields = ("group", "person", "server")
    actions = ("remove_selected",)
    fieldsets = (
        ("Who", {"fields": ("group", "person")}),
        ("May", {"fields": ("action", "server", "tools")}),
        ("Limits", {"fields": ("until", "networks", "reason")}),
        ("Record", {"fields": ("given_by", "given")}),
    )
    add_fieldsets = fieldsets[:3]
    readonly_fields = ("given_by", "given")
    ends = when("until", "ends")
    given = when("given_at", "given")
    only_tools = several("tools", "tools", none="every tool")
    only_from = several("networks", "from", none="anywhere")

    def create(self, form: VerbForm, by: Actor) -> Grant:
        """Give a grant."""
        return grants.give(**{name: form.cleaned_data[name] for name in GIVEN}, by=by)

    def edit(self, row: Grant, form: VerbForm, by: Actor) -> Grant:
        """Change a grant."""
        return grants.edit(row, by=by, **form.wanted())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Grant]:
        """Return grants with what every page says of them."""
        found: QuerySet[Grant] = super().get_queryset(request).select_related("group", "person", "server")
        return found

    def in_the_book(self, row: Grant) -> tuple[str, ...]:
        """Return the holder and the server."""
        return str(row.group or row.person), row.server.name

    @admin.display(description="holder")
    def holder(self, grant: Grant) -> str:
        """Return who holds it."""
        return f"group {grant.group}" if grant.group else str(grant.person)

    @admin.action(description="Take back")
    def remove_selected(self, request: HttpRequest, queryset: QuerySet[Grant]) -> HttpResponse | None:
        """Take back several."""
        return self.act_on_all(request, queryset, REMOVE)
