"""What happens to servers, their routes and their tools."""

from dataclasses import field

from audit.events.base import Changes, Event, event


@event("server.created", about="server")
class ServerCreated(Event):
    """A server was entered."""

    server: str
    description: str = ""


@event("server.changed", about="server")
class ServerChanged(Event):
    """Something about a server was changed."""

    server: str
    changes: Changes = field(default_factory=dict)


@event("server.removed", about="server")
class ServerRemoved(Event):
    """A server was removed with its routes, tools and grants."""

    server: str


@event("server.enabled", about="server")
class ServerEnabled(Event):
    """A server was opened again to those who hold a grant."""

    server: str


@event("server.disabled", about="server")
class ServerDisabled(Event):
    """A server was closed to everybody."""

    server: str
    reason: str = ""


@event("route.added", about="server")
class RouteAdded(Event):
    """Addresses under a host and path prefix now belong to a server."""

    server: str
    host: str
    prefix: str


@event("route.removed", about="server")
class RouteRemoved(Event):
    """Addresses under a host and path prefix no longer belong to a server."""

    server: str
    host: str
    prefix: str


@event("tool.added", about="server", towards="tool")
class ToolAdded(Event):
    """A server's tool was entered."""

    server: str
    tool: str
    enabled: bool = True


@event("tool.changed", about="server", towards="tool")
class ToolChanged(Event):
    """Something about a server's tool was changed."""

    server: str
    tool: str
    enabled: bool = True
    changes: Changes = field(default_factory=dict)


@event("tool.removed", about="server", towards="tool")
class ToolRemoved(Event):
    """A server's tool was removed."""

    server: str
    tool: str
    enabled: bool = True
