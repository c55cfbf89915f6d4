"""Where a request comes from: the peer that connects, or whom a trusted proxy names."""

from typing import NamedTuple

from authz.decisions.facts import ProxyIs
from authz.decisions.world import World
from authz.edge import nginx
from authz.edge.request import Request
from authz.edge.trust import client_address, proxy_of


class Client(NamedTuple):
    """A client, as far as somebody who is trusted tells of it."""

    address: str | None
    """None if the proxy names one that is none."""
    proxy: ProxyIs | None
    secure: bool
    """Whether the proxy says that it was reached by TLS."""


def client_of(request: Request, world: World) -> Client:
    """Return who is at the other end; a proxy that names nobody, and a peer that is no proxy, speak for themselves."""
    proxy = proxy_of(world, request.peer, request.headers.get("x-proxy-secret", ""))
    if proxy is None:
        return Client(client_address(request.peer) or request.peer, None, secure=False)
    address = client_address(nginx.address_of(request.headers))
    secure = request.headers.get("x-forwarded-proto") == "https"
    return Client(request.peer if address == "" else address, proxy, secure)
