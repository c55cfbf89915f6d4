"""Who is connected, in processes that are alive."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.db.models import CharField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from authz.models import Connection, Issuer, SocketProcess

SILENT_AFTER = timedelta(seconds=6)
"""A process tells every two seconds that it is alive; one that was killed is missed after this."""
JSON_RPC: Final = "JSON-RPC"
"""What a connection leads to that leads to no server."""
BECAUSE: Final[Mapping[str, str]] = {
    "lifetime": "its longest life is over",
    "credential-expired": "its sign-in, key or token ends",
    "not-allowed": "the right to it ends",
}
"""The words of a Connection's `ends_because`, for people."""


def live() -> QuerySet[Connection]:
    """Return the connections of all processes that were heard of lately, and that nobody hung up."""
    alive = SocketProcess.objects.filter(seen_at__gt=timezone.now() - SILENT_AFTER).values("name")
    return Connection.objects.filter(process__in=alive, hung_up=None).select_related("person", "server")


def with_issuers() -> QuerySet[Connection]:
    """Return the live connections, each with the name of the issuer whose JWT was shown for it as `issuer`."""
    jwt = Concat(Value("jwt:"), Cast("pk", CharField()))
    named = Issuer.objects.annotate(credential=jwt).filter(credential=OuterRef("credential")).order_by()
    return live().annotate(issuer=Subquery(named.values("name")[:1]))


def where_to(row: Connection) -> str:
    """Return what a connection leads to, in words."""
    return row.server.name if row.server is not None else JSON_RPC


def by_what(row: Connection) -> str:
    """Return what was shown for a connection, in words: "session 4"; an issuer by its name if that was looked up."""
    kind, _, number = row.credential.partition(":")
    if kind == "jwt":
        return f"JWT of {getattr(row, 'issuer', None) or f'issuer {number}'}"
    return f"{'API key' if kind == 'key' else kind} {number}"


def because(row: Connection) -> str:
    """Return why a connection ends when it does, in words."""
    return BECAUSE.get(row.ends_because, row.ends_because)


def told(row: Connection) -> dict[str, Any]:
    """Return a connection as JSON tells it: moments in ISO 8601 and UTC, names instead of numbers."""
    return {
        "id": row.pk,
        "person": row.person.email,
        "server": row.server.name if row.server is not None else None,
        "kind": row.kind,
        "credential": row.credential,
        "address": row.address,
        "origin": row.origin,
        "opened_at": row.opened_at.isoformat(),
        "ends_at": row.ends_at.isoformat(),
        "ends_because": row.ends_because,
        "received": row.received,
        "sent": row.sent,
    }
