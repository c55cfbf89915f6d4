"""Where on the portal a WebSocket begins: at /ws/ and a server's name, or at /ws/rpc.

A name is percent-encoded (RFC 3986 §2.1). Some names cannot stand in a path, because what is encoded in them would be
refused as ambiguous by whoever reads the path; and "rpc" is taken by the portal's own interface.
"""

from typing import Final
from urllib.parse import quote

from authz.decisions.names import fold
from authz.errors import InvalidName
from authz.formats.url_paths import hides_a_delimiter

RPC: Final = "/ws/rpc"
"""The portal's own JSON-RPC interface."""
DELIMITERS: Final = frozenset("/\\#?%;")


def socket_path(server: str) -> str:
    """Return the path at which the WebSockets of a server begin; InvalidName if its name cannot stand there."""
    if fold(server) == "rpc":
        message = "the name 'rpc' belongs to the portal's own interface at /ws/rpc, so this server can have no upstream"
        raise InvalidName(message)
    if not DELIMITERS.isdisjoint(server) or server == "." or server.endswith("..") or hides_a_delimiter(f"/{server}"):
        message = f"the name {server!r} cannot stand in the path of a WebSocket, so this server can have no upstream"
        raise InvalidName(message)
    return f"/ws/{quote(server, safe='')}"
