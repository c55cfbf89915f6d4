"""What happens to those whom Gatehouse believes: issuers of tokens, and proxies."""

from dataclasses import field

from audit.events.base import Changes, Event, event


@event("issuer.trusted", about="issuer")
class IssuerTrusted(Event):
    """Tokens of an issuer are from now on believed."""

    issuer: str
    name: str = ""


@event("issuer.changed", about="issuer")
class IssuerChanged(Event):
    """What is believed of an issuer was changed."""

    issuer: str
    changes: Changes = field(default_factory=dict)


@event("issuer.removed", about="issuer")
class IssuerRemoved(Event):
    """An issuer was removed, and its tokens are refused."""

    issuer: str


@event("issuer.disabled", about="issuer")
class IssuerDisabled(Event):
    """Tokens of an issuer are refused until it is enabled again."""

    issuer: str
    reason: str = ""


@event("issuer.enabled", about="issuer")
class IssuerEnabled(Event):
    """Tokens of a disabled issuer are believed again."""

    issuer: str


@event("proxy.trusted", about="proxy")
class ProxyTrusted(Event):
    """Headers of a proxy are from now on believed."""

    proxy: str
    networks: tuple[str, ...] = ()


@event("proxy.changed", about="proxy")
class ProxyChanged(Event):
    """How a proxy is recognised was changed."""

    proxy: str
    changes: Changes = field(default_factory=dict)


@event("proxy.removed", about="proxy")
class ProxyRemoved(Event):
    """Headers of a proxy are no longer believed."""

    proxy: str


@event("history.begun", about="epoch")
class HistoryBegun(Event):
    """A backup was restored, and revisions count in another history from now on."""

    epoch: str
