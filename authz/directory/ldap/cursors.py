"""From where to read on: what a server calls "now", and how to ask it for what changed since.

    usn/<the server's own name>/<number>       Active Directory: uSNChanged counts each server's own changes
    time/<20261122083015Z>                     others: modifyTimestamp, by the server's clock

A cursor of another server, or of another kind, means nothing here: then everything is read.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import ldap
from django.utils import timezone
from ldap.ldapobject import LDAPObject

from authz.directory.ldap.connection import UNREACHABLE
from authz.directory.ldap.values import GUID, Entry, first, lowered
from authz.formats.sources import LdapSettings

OVERLAP = timedelta(minutes=2)
"""Read twice rather than missed: clocks of servers that replicate to one another differ, and ours from theirs."""
YET_TO_COME = timedelta(hours=1)
"""As much later than the read began cannot be: somebody wrote it, or a clock was wrong."""
LONGEST_NAME = 170
"""Characters of a server's name that a cursor has room for."""
MOMENT = re.compile(r"(\d{14})(?:[.,]\d+)?Z")


class Here(NamedTuple):
    """What a server says of itself before it is read."""

    kind: str
    began: datetime
    """When the read began, by the server's clock if it tells, else by ours."""
    server: str = ""
    number: int = 0


def here(connection: LDAPObject, settings: LdapSettings) -> Here:
    """Return how a server counts its changes."""
    wanted = ["currentTime", "highestCommittedUSN", "dsServiceName"]
    try:
        rows = connection.search_s("", ldap.SCOPE_BASE, attrlist=wanted)
    except UNREACHABLE:
        raise
    except ldap.LDAPError:
        rows = []  # some servers say nothing of themselves, each with another refusal
    root: Entry = lowered(rows[0][1]) if rows else {}
    began = moment(first(root, "currentTime")) or timezone.now()
    if settings.flavour != "ad":
        return Here("time", began)
    number, service = first(root, "highestCommittedUSN"), first(root, "dsServiceName")
    if not number.isdecimal() or not service:
        return Here("", began)
    return Here("usn", began, _database(connection, service) or service.lower(), int(number))


def _database(connection: LDAPObject, service: str) -> str:
    """Return the name of a domain controller's database: it has another one after it was restored from a backup.

    It stands in the configuration (MS-ADTS §6.1.1.2.2.1.2.1.1), which everybody may read unless somebody changed that.
    """
    try:
        rows = connection.search_s(service, ldap.SCOPE_BASE, attrlist=["invocationId"])
    except (ldap.NO_SUCH_OBJECT, ldap.INSUFFICIENT_ACCESS, ldap.REFERRAL):
        return ""
    names = [each for dn, entry in rows if dn is not None for each in lowered(entry).get("invocationid", ())]
    return str(UUID(bytes_le=names[0])) if names and len(names[0]) == GUID else ""


def moment(text: str) -> datetime | None:
    """Return a moment of LDAP's (RFC 4517 §3.3.13), of which seconds are enough; None if it is none."""
    match = MOMENT.fullmatch(text)
    try:
        return datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC) if match else None
    except ValueError:
        return None


def is_yet_to_come(text: str, now: Here) -> bool:
    """Return whether a moment cannot be, for it is later than now."""
    found = moment(text)
    return found is not None and found > now.began + YET_TO_COME


def changed_since(cursor: str, now: Here) -> str:
    """Return a filter for what changed since a cursor; empty if it means nothing to this server."""
    kind, _, rest = cursor.partition("/")
    if not rest or kind != now.kind:
        return ""
    if kind == "usn":
        server, _, number = rest.rpartition("/")
        # A server that was restored from a backup counts again from before.
        if server != now.server or not number.isdecimal() or int(number) > now.number:
            return ""
        return f"(uSNChanged>={int(number) + 1})"
    since = moment(rest)
    if since is None or is_yet_to_come(rest, now):
        return ""
    return f"(modifyTimestamp>={since - OVERLAP:%Y%m%d%H%M%SZ})"


def next_one(now: Here, moments: Iterable[str], before: str = "") -> str:
    """Return the cursor after a read in which entries had changed at these moments; empty if there can be none.

    Never later than the read began: what was read first may have changed while the rest was read.
    """
    if now.kind == "usn":
        return f"usn/{now.server}/{now.number}" if len(now.server) < LONGEST_NAME else ""
    seen = [found for each in moments if (found := moment(each)) is not None and not is_yet_to_come(each, now)]
    if now.kind != "time" or not seen:
        return before
    return f"time/{min(max(seen), now.began - OVERLAP):%Y%m%d%H%M%SZ}"
