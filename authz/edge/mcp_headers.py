"""Which tool a request calls, when its headers can be believed (MCP 2026-07-28, "Mcp-Method and Mcp-Name").

From that revision on a server must compare both headers with the body and refuse a request in which they differ, so
the proxy may decide by them. Older servers ignore them, and the version header as well, so that a caller could write
there what it likes. They are believed only if an administrator says that the server checks them, for a version on the
list below, in a POST to the very path where the server speaks MCP.
"""

import re
from base64 import b64decode
from typing import Final, NamedTuple

from authz.decisions.routing import is_mcp_endpoint
from authz.decisions.vocabulary import ANY_TOOL, NO_TOOL, Kind
from authz.decisions.world import World
from authz.edge.canonical import Url
from authz.edge.request import Request
from authz.errors import UnreadableUrl

VERSIONS: Final = frozenset({"2026-07-28"})
"""Exactly the protocol versions whose servers must verify the two headers."""
HARMLESS: Final = frozenset(
    {
        "server/discover",
        "ping",
        "tools/list",
        "notifications/cancelled",
        "notifications/progress",
    }
)
"""Methods that call no tool and read no resource."""
LONGEST: Final = 1200
"""Characters of Mcp-Name: a tool's name has at most 200, each of up to four bytes, in base64."""
CALL: Final = "tools/call"
SEPARATING: Final = frozenset(",; ")
"""What stands between the elements of a list or before a parameter; other white space is not printable."""
ENCODED: Final = re.compile(r"=\?base64\?([A-Za-z0-9+/]+={0,2})\?=", re.ASCII)


class Call(NamedTuple):
    """What a request says of the tool that it calls, as text that nobody believes yet."""

    http: str
    """The method of HTTP."""
    version: str
    """Of the protocol."""
    method: str
    name: str


UNTOLD: Final = Call("", "", "", "")
"""Of a request that does not say it in a way that could be believed."""


def call_of(request: Request, method: str) -> Call:
    """Return what a request, asked by a method of HTTP, says of the tool that it calls."""
    headers = request.headers
    version = headers.get("mcp-protocol-version", "")
    if version not in VERSIONS or method != "POST":
        return UNTOLD
    return Call(method, version, headers.get("mcp-method", ""), headers.get("mcp-name", ""))


def tool_asked(call: Call, world: World, server: int, url: Url) -> str | None:
    """Return the tool that is provably called, NO_TOOL if provably none is, or ANY_TOOL if nothing is proven."""
    if call.version not in VERSIONS or call.http != "POST":
        return ANY_TOOL
    asked = world.servers[server]
    if asked.kind != Kind.MCP or not asked.verifies_headers or not is_mcp_endpoint(world, server, url.host, url.path):
        return ANY_TOOL
    if call.method == CALL:
        return decoded(call.name) or ANY_TOOL
    return NO_TOOL if call.method in HARMLESS else ANY_TOOL


def decoded(name: str) -> str:
    """Return a tool's name from the header, in which names beyond ASCII travel as `=?base64?…?=`.

    UnreadableUrl for one that somebody could read as another. Whoever passes a message on may join lines of one name
    with a comma and white space (RFC 9110 §5.3); then we would read a list where the server reads its first element, or
    its last. Nor is such a name taken in base64: what the server makes of it once it is decoded is not ours to know.
    """
    if len(name) > LONGEST:
        message = "Mcp-Name is longer than a tool's name can be."
        raise UnreadableUrl(message)
    if (found := ENCODED.fullmatch(name)) is not None:
        try:
            name = b64decode(found[1], validate=True).decode("utf-8")
        except ValueError:
            message = "Mcp-Name is not decodable."
            raise UnreadableUrl(message) from None
    elif not name.isascii():
        message = "Mcp-Name has characters that a header cannot carry."
        raise UnreadableUrl(message)
    if not name.isprintable() or not SEPARATING.isdisjoint(name):
        message = "Mcp-Name may be read as several names."
        raise UnreadableUrl(message)
    return name
