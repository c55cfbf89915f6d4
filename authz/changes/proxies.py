"""Trusted proxies: trust, change, remove."""

import hashlib
from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

from audit import events
from audit.context import Actor
from authz.changes.change import change
from authz.changes.edits import assign, differences
from authz.decisions.facts import ProxyGone
from authz.errors import Conflict
from authz.formats.labels import parse_label
from authz.formats.networks import parse_network
from authz.lookups import facts
from authz.models import Proxy

SHORTEST_SECRET = 16
"""Characters; anything that can be guessed would let anybody speak for the proxy."""
LARGEST_NETWORK = {4: 8, 6: 16}
"""IP version to the shortest prefix of a network of proxies: 10.0.0.0/8 is one, half of all addresses is none."""


def trust(*, name: str, by: Actor, secret: str = "", networks: Sequence[str] = ()) -> Proxy:
    """Honour what a proxy forwards, by its secret, its network, or both; Conflict says why not."""
    name = parse_label(name, what="proxy name")
    with change(by) as draft:
        _refuse_taken(name)
        proxy = Proxy(name=name, secret=_hashed(secret), networks=_networks(networks))
        _refuse_unguarded(proxy.secret, proxy.networks)
        proxy.save()
        draft.say(events.ProxyTrusted(proxy=name, networks=tuple(proxy.networks)), facts.proxy(proxy))
    return proxy


def edit(proxy: Proxy, /, *, by: Actor, new_secret: str | None = None, **wanted: Any) -> Proxy:  # noqa: ANN401  fields of the row, by name
    """Change a proxy; `new_secret` is the text of one, or "" for none."""
    if "name" in wanted:
        wanted["name"] = parse_label(wanted["name"], what="proxy name")
    if "networks" in wanted:
        wanted["networks"] = _networks(wanted["networks"])
    if new_secret is not None:
        wanted["secret"] = _hashed(new_secret)
    with change(by) as draft:
        proxy = Proxy.objects.get(pk=proxy.pk)
        if changes := differences(proxy, wanted):
            _refuse_unguarded(wanted.get("secret", proxy.secret), wanted.get("networks", proxy.networks))
            if "name" in changes:
                _refuse_taken(wanted["name"])
            before = proxy.name
            assign(proxy, wanted)
            if "secret" in changes:
                had, has = changes["secret"]
                changes["secret"] = ("one" if had else "none", ("another" if had else "one") if has else "none")
            draft.say(events.ProxyChanged(proxy=before, changes=changes), facts.proxy(proxy))
    return proxy


def remove(proxy: Proxy, *, by: Actor) -> None:
    """Refuse what a proxy forwards from the next request on, and forget it."""
    with change(by) as draft:
        if Proxy.objects.filter(pk=proxy.pk).delete()[0]:
            draft.say(events.ProxyRemoved(proxy=proxy.name), ProxyGone(proxy.pk))


def problem_of(network: str) -> str:
    """Return why a network in CIDR form cannot be one of proxies, or nothing."""
    meant = ip_network(network)
    if meant.prefixlen >= (least := LARGEST_NETWORK[meant.version]):
        return ""
    return f"{network} is everybody, or nearly; name the proxy's own network, a /{least} at the most"


def is_secret(text: str) -> bool:
    """Return whether a text can be a proxy's secret."""
    return len(text) >= SHORTEST_SECRET and text.isascii() and text.isprintable()


def _hashed(secret: str) -> str:
    if not secret:
        return ""
    if not is_secret(secret):
        message = f"a proxy's secret has at least {SHORTEST_SECRET} printable ASCII characters"
        raise Conflict(message)
    return hashlib.sha256(secret.encode()).hexdigest()


def _networks(networks: Sequence[str]) -> list[str]:
    found = sorted({parse_network(network) for network in networks})
    for network in found:
        if problem := problem_of(network):
            raise Conflict(problem)
    return found


def _refuse_unguarded(secret: str, networks: list[str]) -> None:
    if not secret and not networks:
        message = "a proxy is trusted by a secret, a network, or both; give one"
        raise Conflict(message)


def _refuse_taken(name: str) -> None:
    if Proxy.objects.filter(name=name).exists():
        message = f"a proxy {name} is trusted already"
        raise Conflict(message)
