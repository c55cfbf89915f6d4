"""Searches page by page (RFC 2696), and follows the ranges in which Active Directory cuts long attributes."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import ldap
from ldap.controls import SimplePagedResultsControl
from ldap.ldapobject import LDAPObject

from authz.directory.ldap.values import Entry, lowered
from authz.errors import DirectoryFailed

RANGED = re.compile(r"(?P<name>[^;]+);range=\d+-(?P<last>\d+|\*)", re.IGNORECASE)
EMPTY_PAGES = 100
"""Pages without an entry after which a server that always promises more is not believed."""

Row = tuple[str, Entry]


def paged(  # noqa: PLR0913  what a search is made of
    connection: LDAPObject,
    base: str,
    filter_: str,
    attributes: Sequence[str],
    *,
    page: int,
    patience: float,
    seen: Callable[[int], None] = lambda _: None,
) -> Iterator[Row]:
    """Yield every entry below a base that fits a filter, its DN and its attributes in lower case.

    `seen` is told how many there were so far, after each page. A search that ends in anything but success raises, so
    that whoever counts what is missing never takes a part for the whole.
    """
    search = _Search(connection, base, filter_, list(attributes), patience)
    control: SimplePagedResultsControl | None = SimplePagedResultsControl(criticality=True, size=page, cookie="")
    found: set[str] = set()
    empty = 0
    while True:
        try:
            rows, cookie = search.page(control)
        except ldap.SERVER_DOWN:
            why = f"the server hung up after {len(found)} entries"
            raise DirectoryFailed(why) from None
        except ldap.UNAVAILABLE_CRITICAL_EXTENSION:
            if control is None or found:
                raise
            control = None  # it knows of no pages, and says so
            continue
        if control is not None and cookie is None:
            if found or empty:
                why = "the server answered a paged search without saying whether there is more"
                raise DirectoryFailed(why)
            control = None  # it knows of no pages, and does not say so: what it showed may be a part
            continue
        # Without a DN it is a referral to another server, which nobody here named.
        shown = [(dn, lowered(entry)) for dn, entry in rows if dn is not None]
        new = [row for row in shown if row[0] not in found]
        if shown and not new:
            why = f"the server shows the same entries again, after {len(found)}"
            raise DirectoryFailed(why)
        found.update(dn for dn, _ in new)
        yield from new
        seen(len(found))
        if control is None or not cookie:
            return  # a plain search that ends in success is whole (RFC 4511 §4.5.3), and so is the last page
        empty = 0 if new else empty + 1
        if empty > EMPTY_PAGES:
            why = f"the server promised more after {len(found)} entries, and showed nothing on {EMPTY_PAGES} pages"
            raise DirectoryFailed(why)
        control.cookie = cookie


class _Search(NamedTuple):
    connection: LDAPObject
    base: str
    filter_: str
    attributes: list[str]
    patience: float

    def page(self, control: SimplePagedResultsControl | None) -> tuple[list[tuple[str | None, Entry]], bytes | None]:
        """Return rows, and the cookie of the next page; None if the server does not speak of pages."""
        controls = [control] if control is not None else []
        message = self.connection.search_ext(
            self.base, ldap.SCOPE_SUBTREE, self.filter_, self.attributes, serverctrls=controls
        )
        _, rows, _, answered = self.connection.result3(message, all=1, timeout=self.patience)
        cookies = [each.cookie for each in answered if each.controlType == SimplePagedResultsControl.controlType]
        return rows, cookies[0] if cookies else None


def whole(connection: LDAPObject, dn: str, entry: Entry, attribute: str) -> Sequence[bytes]:
    """Return all values of an attribute, of which Active Directory shows 1,500 at a time (MS-ADTS §3.1.1.3.1.3.3)."""
    name = attribute.lower()
    if (ranged := _ranged(entry, name)) is None:
        return entry.get(name, ())
    last, values = ranged
    found = list(values)
    while last != "*":
        rows = connection.search_s(dn, ldap.SCOPE_BASE, attrlist=[f"{attribute};range={int(last) + 1}-*"])
        shown = [lowered(each) for at, each in rows if at is not None]
        following = _ranged(shown[0], name) if shown else None
        if following is None or not following[1]:
            message = f"{dn} ended in the middle of its {attribute}"
            raise DirectoryFailed(message)
        last, values = following
        found += values
    return found


def _ranged(entry: Entry, name: str) -> tuple[str, Sequence[bytes]] | None:
    for each, values in entry.items():
        match = RANGED.fullmatch(each)
        if match is not None and match["name"] == name:
            return match["last"], values
    return None
