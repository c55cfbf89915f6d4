"""Servers: create, edit, switch, remove; their routes and tools."""

from collections.abc import Callable
from functools import partial
from typing import Any

from audit import events
from audit.context import Actor
from authz.changes import grants
from authz.changes.change import change
from authz.changes.edits import assign, differences
from authz.decisions.facts import ServerGone, ServerIs
from authz.decisions.vocabulary import Kind
from authz.errors import Conflict, InvalidName
from authz.formats.labels import fold, parse_label
from authz.formats.routes import parse_host, parse_prefix
from authz.formats.socket_paths import socket_path
from authz.formats.upstreams import parse_upstream
from authz.lookups import facts
from authz.models import Route, Server, Tool

CONNECTED = frozenset({Kind.MCP, Kind.WEB})
"""Kinds to which a WebSocket can lead: something other than the portal answers for them."""
MOST_LONGEST = 365 * 24 * 3600
"""Seconds: a connection that outlives a year is a mistake in a form."""


def _mcp_path(text: str) -> str:
    return parse_prefix("/" + text.strip().strip("/")).strip("/") if text.strip().strip("/") else ""


SPELLING: dict[str, Callable[[str], str]] = {
    "name": partial(parse_label, what="server name"),
    "mcp_path": _mcp_path,
    "upstream": parse_upstream,
}
"""How those fields of a server are read that have one spelling."""


def create(  # noqa: PLR0913  one argument for each thing a server says
    *,
    name: str,
    by: Actor,
    kind: str = Kind.MCP.value,
    description: str = "",
    mcp_path: str = "",
    verifies_headers: bool = False,
    upstream: str = "",
    longest: int | None = None,
    notices: bool = False,
    any_origin: bool = False,
) -> Server:
    """Register a server, enabled and open to nobody; InvalidName or Conflict says why not."""
    name, upstream = SPELLING["name"](name), SPELLING["upstream"](upstream)
    _refuse_upstream(name, kind, upstream)
    refuse_longest(longest)
    with change(by) as draft:
        _refuse_taken(name)
        if kind == Kind.PORTAL and Server.objects.filter(kind=kind).exists():
            message = "the portal itself is registered already"
            raise Conflict(message)
        server = Server.objects.create(
            name=name,
            folded=fold(name),
            kind=kind,
            description=description,
            mcp_path=SPELLING["mcp_path"](mcp_path),
            verifies_headers=verifies_headers,
            upstream=upstream,
            longest=longest,
            notices=notices,
            any_origin=any_origin,
        )
        draft.say(events.ServerCreated(server=name, description=description), facts.server(server))
    return server


def edit(server: Server, /, *, by: Actor, **wanted: Any) -> Server:  # noqa: ANN401  fields of the row, by name
    """Change the name, description, kind, MCP path, live connections or switch of a server."""
    wanted = {name: SPELLING[name](value) if name in SPELLING else value for name, value in wanted.items()}
    refuse_longest(wanted.get("longest"))
    with change(by) as draft:
        server = Server.objects.get(pk=server.pk)
        if not (changes := differences(server, wanted)):
            return server
        if "kind" in changes and Kind.PORTAL in changes["kind"]:
            message = "the portal keeps its kind, and nothing else can become the portal"
            raise Conflict(message)
        if "kind" in changes:
            _refuse_leftovers(server, wanted["kind"])
        if changes.keys() & {"name", "kind", "upstream"}:
            _refuse_upstream(*(wanted.get(each, getattr(server, each)) for each in ("name", "kind", "upstream")))
        if "name" in changes:
            _refuse_taken(wanted["name"], but=server)
            wanted["folded"] = fold(wanted["name"])
        before = server.name
        assign(server, wanted)
        switched = changes.pop("enabled", None)
        if changes:
            draft.say(events.ServerChanged(server=before, changes=changes), facts.server(server))
        if switched is not None:
            kind = events.ServerEnabled if server.enabled else events.ServerDisabled
            draft.say(kind(server=server.name), facts.server(server))
    return server


def remove(server: Server, *, by: Actor) -> None:
    """Delete a server with its routes, tools and grants."""
    if server.kind == Kind.PORTAL:
        message = "the portal itself cannot be removed"
        raise Conflict(message)
    with change(by) as draft:
        if (server := Server.objects.filter(pk=server.pk).first()) is None:  # type: ignore[assignment]  # gone already
            return
        for grant in server.grants.all():
            grants.remove(grant, by=by, reason=f"{server} was removed")
        number, name = server.pk, server.name
        server.delete()
        draft.say(events.ServerRemoved(server=name), ServerGone(number))


def add_route(server: Server, *, host: str, prefix: str, by: Actor) -> Route:
    """Let a host and a path prefix lead to a server; Conflict names the server they lead to already."""
    host, prefix = parse_host(host), parse_prefix(prefix)
    if server.kind in {Kind.CAPABILITY, Kind.PORTAL}:
        message = f"{server} is not behind the proxy and has no routes"
        raise Conflict(message)
    with change(by) as draft:
        if (taken := Route.objects.filter(host=host, prefix=prefix).select_related("server").first()) is not None:
            message = f"{host}{prefix} leads to {taken.server} already"
            raise Conflict(message)
        route = Route.objects.create(server=server, host=host, prefix=prefix)
        draft.say(events.RouteAdded(server=server.name, host=host, prefix=prefix), _as_it_is(server))
    return route


def remove_route(route: Route, *, by: Actor) -> None:
    """Let a host and a path prefix lead nowhere."""
    with change(by) as draft:
        server = route.server
        if Route.objects.filter(pk=route.pk).delete()[0]:
            draft.say(events.RouteRemoved(server=server.name, host=route.host, prefix=route.prefix), _as_it_is(server))


def add_tool(server: Server, *, name: str, by: Actor, description: str = "", enabled: bool = True) -> Tool:
    """Register a tool of an MCP server."""
    name = parse_label(name, what="tool name")
    if server.kind != Kind.MCP:
        message = f"{server} is not an MCP server and has no tools"
        raise Conflict(message)
    with change(by) as draft:
        if Tool.objects.filter(server=server, name=name).exists():
            message = f"{server} has a tool {name} already"
            raise Conflict(message)
        tool = Tool.objects.create(server=server, name=name, description=description, enabled=enabled)
        draft.say(events.ToolAdded(server=server.name, tool=name, enabled=enabled), _as_it_is(server))
    return tool


def edit_tool(tool: Tool, /, *, by: Actor, **wanted: Any) -> Tool:  # noqa: ANN401  fields of the row, by name
    """Change the name, description or switch of a tool."""
    if "name" in wanted:
        wanted["name"] = parse_label(wanted["name"], what="tool name")
    with change(by) as draft:
        tool = Tool.objects.select_related("server").get(pk=tool.pk)
        if not (changes := differences(tool, wanted)):
            return tool
        if "name" in changes and Tool.objects.filter(server=tool.server, name=wanted["name"]).exists():
            message = f"{tool.server} has a tool {wanted['name']} already"
            raise Conflict(message)
        before = tool.name
        assign(tool, wanted)
        draft.say(
            events.ToolChanged(server=tool.server.name, tool=before, enabled=tool.enabled, changes=changes),
            _as_it_is(tool.server),
        )
    return tool


def remove_tool(tool: Tool, *, by: Actor) -> None:
    """Forget a tool; a call to it then depends on grants alone."""
    with change(by) as draft:
        server = tool.server
        if Tool.objects.filter(pk=tool.pk).delete()[0]:
            draft.say(events.ToolRemoved(server=server.name, tool=tool.name, enabled=tool.enabled), _as_it_is(server))


def _as_it_is(server: Server) -> ServerIs:
    return facts.server(Server.objects.get(pk=server.pk))


def _refuse_leftovers(server: Server, kind: str) -> None:
    """Refuse a kind that cannot have what the server has."""
    if kind == Kind.CAPABILITY and server.routes.exists():
        message = f"a capability has no routes; remove those of {server} first"
        raise Conflict(message)
    if kind != Kind.MCP and (server.tools.exists() or server.grants.filter(tools__isnull=False).exists()):
        message = f"only an MCP server has tools; remove those of {server}, and the grants limited to tools, first"
        raise Conflict(message)


def _refuse_upstream(name: str, kind: str, upstream: str) -> None:
    """Refuse an upstream where no WebSocket could lead to it."""
    if not upstream:
        return
    if kind not in CONNECTED:
        message = "only an MCP server or a web application has a WebSocket upstream"
        raise Conflict(message)
    try:
        socket_path(name)
    except InvalidName as error:
        raise Conflict(str(error)) from None


def refuse_longest(seconds: int | None) -> None:
    """Refuse a life of a connection that is none, or has no end that anybody would see."""
    if seconds is not None and not 1 <= seconds <= MOST_LONGEST:
        message = f"a connection may live from 1 second to a year ({MOST_LONGEST} seconds)"
        raise Conflict(message)


def _refuse_taken(name: str, *, but: Server | None = None) -> None:
    taken = Server.objects.filter(folded=fold(name)).exclude(pk=but.pk if but else 0).first()
    if taken is not None:
        message = f"the server {taken.name!r} has this name already"
        raise Conflict(message)
