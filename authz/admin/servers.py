"""The screen of servers: what can be reached, by which routes, with which tools."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from audit.context import Actor
from authz.admin.act import Act
from authz.admin.base import VerbAdmin
from authz.admin.columns import shortened, when
from authz.admin.decorators import badge
from authz.admin.fields import checked
from authz.admin.forms import VerbForm
from authz.admin.inline import VerbInline
from authz.admin.refused import sentence
from authz.changes import servers
from authz.errors import Conflict
from authz.formats.labels import parse_label
from authz.formats.routes import parse_host, parse_prefix
from authz.formats.upstreams import parse_upstream
from authz.models import Route, Server, Tool

Kinds = Server.Kinds
ASKED = ("name", "kind", "description", "mcp_path", "verifies_headers")
LIVE = ("upstream", "longest", "notices", "any_origin")
CONNECTIONS = ("Live connections", {"fields": LIVE})


class ServerForm(VerbForm):
    """Edits a server."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Django's own
        """Offer the kinds that something can become: there is one portal."""
        super().__init__(*args, **kwargs)
        kind = self.fields.get("kind")
        if isinstance(kind, forms.ChoiceField):
            kind.choices = [(value, label) for value, label in Kinds.choices if value != Kinds.PORTAL]

    def clean_name(self) -> str:
        """Return the one spelling of the name."""
        return checked(partial(parse_label, what="server name"), self.cleaned_data["name"])

    def clean_mcp_path(self) -> str:
        """Return the path without slashes at its ends."""
        path = self.cleaned_data["mcp_path"].strip().strip("/")
        return checked(parse_prefix, f"/{path}").strip("/") if path else ""

    def clean_upstream(self) -> str:
        """Return the one spelling of the upstream."""
        return checked(parse_upstream, self.cleaned_data["upstream"])

    def clean_longest(self) -> int | None:
        """Return the seconds, if the verb would take so many."""
        seconds: int | None = self.cleaned_data["longest"]
        try:
            servers.refuse_longest(seconds)
        except Conflict as error:
            raise ValidationError(sentence(str(error))) from error
        return seconds

    def clean(self) -> dict[str, Any]:
        """Refuse an MCP path where no MCP is spoken, and an upstream where no path leads to it."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("mcp_path") and cleaned.get("kind", Kinds.MCP) != Kinds.MCP:
            self.add_error("mcp_path", "Only an MCP server has an MCP path.")
        if cleaned.get("upstream") and cleaned.get("kind", Kinds.MCP) not in servers.CONNECTED:
            self.add_error("upstream", "Only an MCP server or a web application has a WebSocket upstream.")
        return cleaned


class RouteForm(VerbForm):
    """Adds a route."""

    def clean_host(self) -> str:
        """Return the one spelling of the host."""
        return checked(parse_host, self.cleaned_data["host"])

    def clean_prefix(self) -> str:
        """Return the one spelling of the prefix."""
        return checked(parse_prefix, self.cleaned_data["prefix"])


class Routes(VerbInline[Server, Route]):
    """Hosts and path prefixes that lead to a server."""

    model = Route
    form = RouteForm
    fields = fixed = ("host", "prefix")
    blames = "prefix"

    def add(self, parent: Server, wanted: dict[str, Any], by: Actor) -> None:
        """Let a host and a prefix lead here."""
        servers.add_route(parent, host=wanted["host"], prefix=wanted["prefix"], by=by)

    def remove(self, row: Route, by: Actor) -> None:
        """Let them lead nowhere."""
        servers.remove_route(row, by=by)


class ToolForm(VerbForm):
    """Edits a tool."""

    def clean_name(self) -> str:
        """Return the one spelling of the name."""
        return checked(partial(parse_label, what="tool name"), self.cleaned_data["name"])


class Tools(VerbInline[Server, Tool]):
    """Tools that an MCP server offers."""

    model = Tool
    form = ToolForm
    fields = ("name", "description", "enabled")
    blames = "name"

    def add(self, parent: Server, wanted: dict[str, Any], by: Actor) -> None:
        """Register a tool."""
        asked = {name: wanted[name] for name in self.fields}
        servers.add_tool(parent, **asked, by=by)

    def edit(self, row: Tool, wanted: dict[str, Any], by: Actor) -> None:
        """Change a tool."""
        servers.edit_tool(row, by=by, **wanted)

    def remove(self, row: Tool, by: Actor) -> None:
        """Forget a tool."""
        servers.remove_tool(row, by=by)


REMOVE = Act(
    title="Delete",
    warning="The server is deleted, and nobody reaches it any more. To switch it off can be undone.",
    do=servers.remove,
    done="Deleted: {n}.",
    takes_along=("routes", "tools", "grants"),
)


class Servers(VerbAdmin[Server]):
    """Servers."""

    form = ServerForm
    blames = "name"
    removal = REMOVE
    list_display = ("name", "kind", "state", "addresses", "description", "created")
    list_filter = ("kind", "enabled")
    search_fields = ("name", "routes__host", "routes__prefix")
    search_help_text = "Search by name, host or path"
    actions = ("remove_selected",)
    fieldsets = (
        (None, {"fields": ("name", "kind", "description", "enabled", "mcp_path", "verifies_headers")}),
        CONNECTIONS,
        ("Record", {"fields": ("created",)}),
    )
    add_fieldsets = ((None, {"fields": ASKED}), CONNECTIONS)
    created = when("created_at", "created")

    def create(self, form: VerbForm, by: Actor) -> Server:
        """Register a server."""
        return servers.create(**{name: form.cleaned_data[name] for name in (*ASKED, *LIVE)}, by=by)

    def edit(self, row: Server, form: VerbForm, by: Actor) -> Server:
        """Change a server, or switch it on or off."""
        return servers.edit(row, by=by, **form.wanted())

    def get_readonly_fields(self, request: HttpRequest, obj: Server | None = None) -> tuple[str, ...]:
        """Let the portal stay what it is."""
        return (
            ("created",)
            if obj is None or obj.kind != Kinds.PORTAL
            else ("created", "kind", "mcp_path", "verifies_headers")
        )

    def get_fieldsets(self, request: HttpRequest, obj: Server | None = None) -> tuple[Any, ...]:
        """Ask for live connections where there can be some."""
        shown = super().get_fieldsets(request, obj)
        return tuple(each for each in shown if each is not CONNECTIONS or obj is None or obj.kind in servers.CONNECTED)

    def get_inlines(self, request: HttpRequest, obj: Server | None) -> tuple[type[VerbInline[Any, Any]], ...]:
        """Show routes where there can be routes, and tools where there can be tools."""
        if obj is not None and obj.kind != Kinds.MCP:
            return (Routes,) if obj.kind == Kinds.WEB else ()
        return Routes, Tools

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Keep the portal itself."""
        is_portal = isinstance(obj, Server) and obj.kind == Kinds.PORTAL
        return not is_portal and super().has_delete_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Server]:
        """Read the routes of all servers on a page at once."""
        found: QuerySet[Server] = super().get_queryset(request).prefetch_related("routes")
        return found

    @badge("state", ordering="enabled", on="success", off="danger")
    def state(self, server: Server) -> str:
        """Return whether it is open to those who may."""
        return "on" if server.enabled else "off"

    @admin.display(description="routes")
    def addresses(self, server: Server) -> str:
        """Return what leads to it."""
        return shortened(sorted(map(str, server.routes.all())), "none")

    @admin.action(description="Delete")
    def remove_selected(self, request: HttpRequest, queryset: QuerySet[Server]) -> HttpResponse | None:
        """Delete several."""
        return self.act_on_all(request, queryset, REMOVE)
