"""Whose forwarded headers are honoured: proxies that are registered, and nobody else.

A proxy is known by its shared secret (in X-Proxy-Secret), by the network it connects from, or by both if both are
registered. Nothing is trusted by default.
"""

import functools
import hashlib
import hmac
from ipaddress import ip_address, ip_network

from authz.decisions.facts import ProxyIs
from authz.decisions.world import World


def is_trusted(world: World, peer: str, secret: str) -> bool:
    """Return whether a registered proxy connects from `peer` and shows `secret`."""
    # What was found is remembered with the World, which goes when a proxy is changed.
    proxies = world.memory.proxies
    if (peer, "") in proxies or (peer, secret) in proxies:
        return True
    proxy = proxy_of(world, peer, secret)
    if proxy is None:
        return False  # what anybody may send is not worth remembering
    proxies.keep((peer, secret if proxy.secret else ""), True)  # noqa: FBT003  a memo holds something
    return True


def proxy_of(world: World, peer: str, secret: str) -> ProxyIs | None:
    """Return the registered proxy that connects from `peer` and shows `secret`, if there is one."""
    shown = hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest() if secret else ""
    try:
        address = ip_address(peer)
    except ValueError:
        address = None
    if address is not None:
        address = getattr(address, "ipv4_mapped", None) or address
    for proxy in world.proxies.values():
        if proxy.secret and not hmac.compare_digest(proxy.secret, shown):
            continue
        if proxy.networks and not any(
            address is not None and address in ip_network(network) for network in proxy.networks
        ):
            continue
        if proxy.secret or proxy.networks:
            return proxy
    return None


@functools.lru_cache(maxsize=4096)
def client_address(text: str) -> str | None:
    """Return a client's address in its one spelling, "" if none was named, None if what was named is not one."""
    if not text:
        return ""
    try:
        return str(ip_address(text))
    except ValueError:
        return None
