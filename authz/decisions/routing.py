"""Which server a URL leads to: the longest registered path prefix of its host, on a segment boundary.

A route is a host and a path prefix. A host is a name, a name with a port, or "*" for any; the most exact host that
has a matching prefix wins, in that order. The prefix "/docs" covers "/docs" and "/docs/x", never "/docsx"; "/"
covers everything.
"""

from immutables import Map

from authz.decisions.vocabulary import NOWHERE, Target, Where
from authz.decisions.world import World


def target_of(world: World, host: str, path: str) -> Target:
    """Return the server for a canonical host (perhaps with a port) and path, or NOWHERE."""
    routes = world.routes
    if (table := routes.get(host)) is not None and (server := longest(table, path)):
        return Target(Where.SERVER, server)
    bare, colon, port = host.rpartition(":")
    if colon and port.isdigit() and (table := routes.get(bare)) is not None and (server := longest(table, path)):
        return Target(Where.SERVER, server)
    if (table := routes.get("*")) is not None and (server := longest(table, path)):
        return Target(Where.SERVER, server)
    return NOWHERE


def longest(prefixes: Map[str, int], path: str) -> int:
    """Return the server of the longest prefix that covers `path`, or 0."""
    while path:
        if (server := prefixes.get(path)) is not None:
            return server
        path = path[: path.rfind("/")]
    return prefixes.get("/", 0)


def is_mcp_endpoint(world: World, server: int, host: str, path: str) -> bool:
    """Return whether `path` is exactly where this server speaks MCP.

    Only there does it check the `Mcp-Method` and `Mcp-Name` headers against the body; on any other path below the
    prefix they are a caller's unproven word.
    """
    held = world.servers[server]
    wanted = path.rstrip("/")
    tail = f"/{held.mcp_path.strip('/')}" if held.mcp_path else ""
    bare = host.rpartition(":")[0]
    return any(
        wanted == prefix.rstrip("/") + tail for route_host, prefix in held.routes if route_host in {host, bare, "*"}
    )
