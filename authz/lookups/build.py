"""Builds the World from the tables, in a fixed number of queries, while writers go on writing.

The revision is read first, the tables after it, and then every change committed meanwhile is applied on top. A fact
says how a thing *is*, so applying one that a table already showed changes nothing, and the result is exactly the
World of the last revision applied; no lock is held and no long transaction is needed.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection
from django.db.models import F
from django.utils import timezone

from authz.decisions import facts as f
from authz.decisions.applied import applied
from authz.decisions.built import Everything, built
from authz.decisions.world import World
from authz.errors import Unavailable
from authz.lookups import facts
from authz.models import (
    ApiKey,
    Change,
    Connection,
    Grant,
    Group,
    Issuer,
    Membership,
    Nesting,
    Proxy,
    Revision,
    Server,
    Session,
    User,
)

ROWS_AT_ONCE = 20_000
NOW = f"SELECT n, mark, epoch FROM {Revision._meta.db_table}"  # noqa: S608, SLF001  a table's name is Django's to tell


class Now(NamedTuple):
    """The newest committed revision: its number, its mark, and the name of its history."""

    revision: int
    mark: str
    epoch: str


def revision_now() -> Now:
    """Return the newest committed revision: one query, in SQL, for every process asks it many times a second."""
    with connection.cursor() as cursor:
        cursor.execute(NOW)
        row = cursor.fetchone()
    if row is None:
        message = "the database has no revision row; run manage.py migrate"
        raise Unavailable(message)
    return Now(*row)


def changes_from(revision: int) -> list[tuple[int, str, str]]:
    """Return the change of a revision and all after it, in order, as number, mark and JSON text: one query."""
    rows = Change.objects.filter(revision__gte=revision).order_by("revision")
    return list(rows.values_list("revision", "mark", "facts"))


def advanced(world: World, changes: list[tuple[int, str, str]]) -> World | None:
    """Return the World after these changes, of which the first made it; None if they do not follow from it.

    That is so if one is missing from the log, or if the first is another than the one this World came from: then a
    backup was restored, and the numbers count another history. Only a rebuild helps.
    """
    if world.revision:
        if not changes or changes[0][:2] != (world.revision, world.mark):
            return None
        changes = changes[1:]
    for revision, mark, text in changes:
        if revision != world.revision + 1:
            return None
        world = applied(world, facts_in(text), revision=revision, mark=mark)
    return world


def facts_in(text: str) -> list[f.Fact]:
    """Return the facts of one change."""
    return [f.from_json(array) for array in json.loads(text)]


def build() -> World:
    """Return the World as it is now; Unavailable if the change log lost an entry that was just written."""
    revision, mark, epoch = revision_now()
    now = timezone.now()
    world = built(
        Everything(
            people=_people(),
            groups=(f.GroupIs(*row) for row in Group.objects.values_list("pk", "name", "everyone")),
            members=_members(),
            nests=Nesting.objects.values_list("child_id", "parent_id"),
            servers=[facts.server(row) for row in Server.objects.prefetch_related("routes", "tools")],
            grants=(facts.grant(row) for row in Grant.objects.iterator(ROWS_AT_ONCE)),
            keys=(
                key
                for row in ApiKey.objects.filter(revoked_at=None).iterator(ROWS_AT_ONCE)
                if isinstance(key := facts.api_key(row), f.KeyIs)
            ),
            sessions=(
                session
                for row in Session.objects.filter(ended_at=None, until__gt=now).iterator(ROWS_AT_ONCE)
                if isinstance(session := facts.session(row), f.SessionIs)
            ),
            issuers=[i for row in Issuer.objects.all() if isinstance(i := facts.issuer(row), f.IssuerIs)],
            hung_up=_hung_up(),
            proxies=[p for row in Proxy.objects.all() if isinstance(p := facts.proxy(row), f.ProxyIs)],
        ),
        revision=revision,
        mark=mark,
        epoch=epoch,
    )
    following = advanced(world, changes_from(revision))
    if following is None:
        message = "the change log has a gap right after the newest revision"
        raise Unavailable(message)
    return following


def _hung_up() -> list[f.HangUp]:
    """Return the connections that were hung up, and that their processes may not have ended yet."""
    found = [facts.hang_up(row) for row in Connection.objects.filter(hung_up__isnull=False)]
    people = User.objects.filter(hung_up__isnull=False).values_list("pk", "hung_up")
    found += [f.HangUp(person, "", revision or 0) for person, revision in people]
    return sorted(found, key=lambda fact: fact.revision)


def _people() -> Iterator[f.PersonIs]:
    rows = User.objects.order_by().values_list("pk", "uid", "email", "name", "is_active", "is_human")
    for pk, uid, email, name, active, human in rows.iterator(ROWS_AT_ONCE):
        yield f.PersonIs(pk, str(uid), email, name, active, human)


def _members() -> Iterator[tuple[int, int, float | None]]:
    """Yield each pair of person and group once, with the longest end of all its sources."""
    rows = Membership.objects.values_list("person_id", "group_id", "until").order_by(
        "person_id", "group_id", F("until").desc(nulls_first=True)
    )
    last = (0, 0)
    for person, group, until in rows.iterator(ROWS_AT_ONCE):
        if (person, group) != last:
            last = (person, group)
            yield person, group, facts.epoch(until)
