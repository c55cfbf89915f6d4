"""Rows into facts, one function per noun."""

from datetime import datetime

from authz.decisions import facts as f
from authz.models import ApiKey, Connection, Grant, Group, Issuer, Membership, Proxy, Server, Session, User


def epoch(moment: datetime | None) -> float | None:
    """Return seconds since the epoch, or None for "never"."""
    return None if moment is None else moment.timestamp()


def person(row: User) -> f.PersonIs:
    """Return what a person's row says."""
    return f.PersonIs(row.pk, str(row.uid), row.email, row.name, row.is_active, row.is_human)


def group(row: Group) -> f.GroupIs:
    """Return what a group's row says."""
    return f.GroupIs(row.pk, row.name, row.everyone)


def membership(person: int, group: int) -> f.MemberIs | f.MemberGone:
    """Return whether a person is directly in a group, all sources taken together: the longest of them counts."""
    ends = list(Membership.objects.filter(person_id=person, group_id=group).values_list("until", flat=True))
    if not ends:
        return f.MemberGone(person, group)
    return f.MemberIs(person, group, None if None in ends else max(end.timestamp() for end in ends if end))


def server(row: Server) -> f.ServerIs:
    """Return what a server's row, its routes and its tools say."""
    tools = sorted(row.tools.all(), key=lambda tool: tool.name)
    return f.ServerIs(
        row.pk,
        row.name,
        row.kind,
        row.enabled,
        row.mcp_path,
        tuple((route.host, route.prefix) for route in sorted(row.routes.all(), key=lambda r: (r.host, r.prefix))),
        tuple(tool.name for tool in tools),
        row.verifies_headers,
        tuple(tool.name for tool in tools if not tool.enabled),
        row.upstream,
        row.longest,
        row.notices,
        row.any_origin,
    )


def grant(row: Grant) -> f.GrantIs:
    """Return what a grant's row says."""
    return f.GrantIs(
        row.pk,
        row.group_id,
        row.person_id,
        row.action,
        row.server_id,
        None if row.tools is None else tuple(row.tools),
        epoch(row.until),
        tuple(row.networks),
    )


def api_key(row: ApiKey) -> f.KeyIs | f.KeyGone:
    """Return what a key's row says; a revoked one is gone."""
    if row.revoked_at is not None:
        return f.KeyGone(row.pk)
    return f.KeyIs(row.pk, row.digest, row.person_id, tuple(row.scopes), epoch(row.until))


def session(row: Session) -> f.SessionIs | f.SessionGone:
    """Return what a session's row says; an ended one is gone."""
    if row.ended_at is not None:
        return f.SessionGone(row.pk)
    return f.SessionIs(
        row.pk, row.digest, row.person_id, row.until.timestamp(), float(row.idle), row.seen_at.timestamp()
    )


def issuer(row: Issuer) -> f.IssuerIs | f.IssuerGone:
    """Return what an issuer's row says; a disabled one is gone."""
    if not row.enabled:
        return f.IssuerGone(row.pk)
    return f.IssuerIs(
        row.pk, row.issuer, tuple(row.audiences), row.claim, tuple(row.algorithms), row.jwks_url, row.jwks,
        row.id_tokens,
    )  # fmt: skip


def proxy(row: Proxy) -> f.ProxyIs | f.ProxyGone:
    """Return what a proxy's row says; a disabled one is gone."""
    if not row.enabled:
        return f.ProxyGone(row.pk)
    return f.ProxyIs(row.pk, row.name, row.secret, tuple(row.networks))


def hang_up(row: Connection) -> f.HangUp:
    """Return what the row of a connection says that somebody hung up."""
    return f.HangUp(row.person_id, row.pk, row.hung_up or 0)
