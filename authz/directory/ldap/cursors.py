"""From where to read on: what a server calls "now", and how to ask it for what changed since.

    usn/<the server's own name>/<number>       Active Directory: uSNChanged counts each server's own changes
    time/<20261122083015Z>                     others: modifyTimestamp, by the server's clock

A cursor of another server, or of another kind, means nothing here: then everything is read.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import ldap
from ldap.filter import escape_filter_chars
from ldap.ldapobject import LDAPObject

from authz.directory.ldap.values import first, lowered
from authz.formats.sources import LdapSettings

OVERLAP = timedelta(minutes=2)
"""Read twice rather than missed: clocks of servers that replicate to one another differ."""
MOMENT = re.compile(r"\d{14}(\.\d+)?Z")


class Here(NamedTuple):
    """What a server says of itself before it is read."""

    kind: str
    server: str = ""
    number: int = 0


def here(connection: LDAPObject, settings: LdapSettings) -> Here:
    """Return how a server counts its changes."""
    if settings.flavour != "ad":
        return Here("time")
    rows = connection.search_s("", ldap.SCOPE_BASE, attrlist=["highestCommittedUSN", "dsServiceName"])
    root = lowered(rows[0][1]) if rows else {}
    number = first(root, "highestCommittedUSN")
    if not number.isdecimal():
        return Here("")
    return Here("usn", first(root, "dsServiceName").lower(), int(number))


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
    if not MOMENT.fullmatch(rest):
        return ""
    since = datetime.strptime(rest[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC) - OVERLAP
    return f"(modifyTimestamp>={escape_filter_chars(since.strftime('%Y%m%d%H%M%SZ'))})"


def next_one(now: Here, moments: Iterable[str], before: str = "") -> str:
    """Return the cursor after a read in which entries had changed at these moments; empty if there can be none."""
    if now.kind == "usn":
        return f"usn/{now.server}/{now.number}" if len(now.server) < LONGEST_NAME else ""
    latest = max((each for each in moments if MOMENT.fullmatch(each)), default="")
    if now.kind == "time" and latest:
        return f"time/{latest}"
    return before


LONGEST_NAME = 170
"""Characters of a server's name that a cursor has room for."""
