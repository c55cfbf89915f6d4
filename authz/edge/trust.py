"""Whose forwarded headers are honoured: proxies that are registered, and nobody else.

A proxy is known by its shared secret (in X-Proxy-Secret), by the network it connects from, or by both if both are
registered. Nothing is trusted by default.
"""

import functools
import hashlib
import hmac
import re
from ipaddress import ip_address, ip_network
from typing import Final

from authz.decisions.facts import ProxyIs
from authz.decisions.world import World

LONGEST_ADDRESS: Final = 64
SPELLED: Final = re.compile(
    r"(?:\[(?P<inside>[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,44})\]|(?P<dotted>[0-9.]{7,15}))(?::[0-9]{1,5})?|(?P<bare>[0-9A-Fa-f:.]{2,45})"
)
"""How an address may be written, with a port or without."""


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


def client_address(text: str) -> str | None:
    """Return a client's address in its one spelling, "" if none was named, None if what was named is not one.

    A port is left out (`192.0.2.1:80`, `[2001:db8::1]:80`), and so are brackets; an IPv4 address that is mapped into
    IPv6 (RFC 4291 §2.5.5.2) is the IPv4 address, and a zone (RFC 4007) makes it none.
    """
    return _read_address(text) if len(text) <= LONGEST_ADDRESS else None


@functools.lru_cache(maxsize=4096)
def _read_address(text: str) -> str | None:
    if not text:
        return ""
    found = SPELLED.fullmatch(text)
    if found is None:
        return None
    try:
        address = ip_address(found["inside"] or found["dotted"] or found["bare"])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
