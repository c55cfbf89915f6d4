"""A server that speaks LDAP as Active Directory does where OpenLDAP does not, and that lies when it is told to.

It listens on a real port, and knows what MS-ADTS says of: GUIDs in sixteen bytes, userAccountControl, values of
`member` in ranges of 1,500, update sequence numbers, members at any depth, referrals among the results of a search,
names that are no DNs to bind with, and pages of at most 1,000 entries.
"""

import contextlib
import datetime as dt
import socketserver
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.patience import HANG
from tests.peers.ber import ENUMERATED, SEQUENCE, SET, Piece, encoded, number, octets, received
from tests.peers.needs import need
from tests.peers.serving import Serving

DOMAIN = "DC=corp,DC=example,DC=com"
PEOPLE, GROUPS = f"OU=Staff,{DOMAIN}", f"OU=Groups,{DOMAIN}"
READER, READER_PASSWORD = "reader@corp.example.com", "reader's password"
CONTROLLER = f"CN=NTDS Settings,CN=DC1,CN=Servers,CN=Site,CN=Sites,CN=Configuration,{DOMAIN}"
ENABLED, DISABLED = 512, 514
MOST_ENTRIES, MOST_VALUES = 1000, 1500
"""MaxPageSize and MaxValRange, as every domain controller begins with them (MS-ADTS §3.1.1.3.4.6)."""
PAGED, IN_CHAIN = "1.2.840.113556.1.4.319", "1.2.840.113556.1.4.1941"
BIND, UNBIND, SEARCH = 0x60, 0x42, 0x63
SUCCESS, OPERATIONS_ERROR, SIZE_LIMIT, UNAVAILABLE, REFERRAL, NO_SUCH_OBJECT, BAD_PASSWORD = 0, 1, 4, 12, 10, 32, 49
HELD_UP = 5 * HANG
"""Seconds that a late answer takes: so many that only whoever gives up on it goes on."""


@dataclass(eq=False)
class Object:
    """One entry; whoever is in it is kept by what they are and not by what they are called."""

    dn: str
    attributes: dict[str, list[bytes]]
    members: list["Object | str"] = field(default_factory=list)
    password: str = ""

    def values(self, name: str) -> list[bytes]:
        """Return the values of an attribute."""
        if name.lower() == "member":
            return [(each if isinstance(each, str) else each.dn).encode() for each in self.members]
        return next((values for known, values in self.attributes.items() if known.lower() == name.lower()), [])

    def holds(self, dn: str, seen: set[int] | None = None) -> bool:
        """Return whether somebody is in it at any depth."""
        seen = seen if seen is not None else set()
        if id(self) in seen:
            return False
        seen.add(id(self))
        return any(
            not isinstance(each, str) and (each.dn.lower() == dn or each.holds(dn, seen)) for each in self.members
        )


@dataclass(eq=False)
class ActiveDirectory:
    """One domain controller, its entries, and what it lies about."""

    objects: dict[str, Object] = field(default_factory=dict)
    usn: int = 5000
    controller: str = CONTROLLER
    database: bytes = b""
    """The invocationId; empty where it may not be read."""
    referrals: tuple[str, ...] = ()
    lie: str = ""
    paging: str = "known"
    """Whether it knows of paged results: known, refused (RFC 2696 §3), or ignored, as if nothing had been asked."""
    root_for: str = "everybody"
    """Who may read its root: everybody, whoever has proven who they are (a reader), or nobody."""
    refusal: int = 0x32
    """How it refuses its root: insufficientAccessRights, unless a test says otherwise (RFC 4511 §4.1.9)."""
    asked: list[str] = field(default_factory=list)
    """Whether each search for people or groups was for "everything" or for what "changed"."""
    between_pages: Any = None
    """Called after each page."""
    server: Any = None

    @property
    def settings(self) -> dict[str, Any]:
        """How to read it."""
        return {
            "urls": [f"ldap://127.0.0.1:{self.server.port}"], "tls": "none", "bind_dn": READER, "people_base": DOMAIN,
            "groups_base": DOMAIN, "patience": HANG,
        }  # fmt: skip

    def start(self) -> None:
        """Listen."""
        self.server = _Server(self)

    def stop(self) -> None:
        """Hang up and close."""
        self.server.stop()

    def add(self, dn: str, *classes: str, password: str = "", **attributes: Any) -> Object:
        """Add an entry."""
        told = {"objectClass": ["top", *classes], "objectGUID": uuid.uuid4().bytes_le} | attributes
        made = Object(dn, {name: as_bytes(value) for name, value in told.items()}, password=password)
        self.objects[dn.lower()] = made
        self._touch(made)
        return made

    def person(self, name: str, *, dn: str = "", **attributes: Any) -> Object:
        """Add somebody whose password is "<name>'s password"."""
        told = {
            "objectCategory": "person", "sAMAccountName": name, "userPrincipalName": f"{name}@corp.example.com",
            "mail": f"{name}@example.com", "displayName": name.title(), "userAccountControl": ENABLED,
            "accountExpires": 0,
        } | attributes  # fmt: skip
        return self.add(dn or f"CN={name.title()},{PEOPLE}", "person", "user", password=f"{name}'s password", **told)

    def group(self, name: str, *members: Object | str, **attributes: Any) -> Object:
        """Add a group."""
        made = self.add(f"CN={name},{GROUPS}", "group", **({"cn": name, "sAMAccountName": name} | attributes))
        made.members = list(members)
        return made

    def change(self, entry: Object, members: list[Object | str] | None = None, **attributes: Any) -> None:
        """Replace attributes; None removes one."""
        for name, value in attributes.items():
            entry.attributes.pop(name, None)
            if value is not None:
                entry.attributes[name] = as_bytes(value)
        if members is not None:
            entry.members = members
        self._touch(entry)

    def move(self, entry: Object, dn: str) -> None:
        """Rename or move an entry with all that is below it, of which only the entry itself is told as changed."""
        before = entry.dn.lower()
        for each in [each for name, each in self.objects.items() if name == before or name.endswith(f",{before}")]:
            del self.objects[each.dn.lower()]
            each.dn = each.dn[: len(each.dn) - len(before)] + dn
            self.objects[each.dn.lower()] = each
        self._touch(entry)

    def delete(self, entry: Object) -> None:
        """Delete an entry; it is in no group any more."""
        del self.objects[entry.dn.lower()]
        for each in self.objects.values():
            each.members = [member for member in each.members if member is not entry]

    def _touch(self, entry: Object) -> None:
        self.usn += 1
        entry.attributes["uSNChanged"] = as_bytes(self.usn)

    def root(self) -> Object:
        """Return what it says of itself."""
        now = dt.datetime.now(dt.UTC)
        return Object("", {
            "currentTime": as_bytes(f"{now:%Y%m%d%H%M%S}.0Z"), "dsServiceName": as_bytes(self.controller),
            "highestCommittedUSN": as_bytes(self.usn), "supportedControl": as_bytes([PAGED]),
        })  # fmt: skip


class _Server(Serving):
    def __init__(self, directory: ActiveDirectory) -> None:
        self.directory = directory
        super().__init__(_Conversation)


class _HungUp(Exception):
    """The server ends the connection."""


class _Conversation(socketserver.StreamRequestHandler):
    """One connection."""

    server: _Server
    wbufsize = 1 << 16  # entries go together with the answer that ends them

    def handle(self) -> None:
        self.directory = self.server.directory
        self.bound = False
        self.pages: dict[bytes, list[Object]] = {}
        with contextlib.suppress(OSError, _HungUp):
            while (message := received(self.rfile)) is not None:
                number_, operation, *controls = message.parts()
                self.message = number_.number()
                if operation.tag == BIND:
                    self.bind(operation)
                elif operation.tag == SEARCH:
                    self.search(operation, controls)
                elif operation.tag == UNBIND:
                    return

    def say(self, operation: bytes, *controls: bytes) -> None:
        told = (encoded(0xA0, *controls),) if controls else ()
        self.wfile.write(encoded(SEQUENCE, number(self.message), operation, *told))

    def done(self, tag: int, code: int, why: str = "", *controls: bytes) -> None:
        self.say(encoded(tag, number(code, ENUMERATED), octets(""), octets(why)), *controls)
        self.wfile.flush()

    def bind(self, operation: Piece) -> None:
        _, name, word = operation.parts()
        who, password = name.text().lower(), word.body.decode()
        if not who and not password:
            self.done(0x61, SUCCESS)
            return
        found = [
            each
            for each in self.directory.objects.values()
            if who in {each.dn.lower(), *(value.decode().lower() for value in each.values("userPrincipalName"))}
        ]
        right = len(found) == 1 and found[0].password == password != ""
        flags = int((found[0].values("userAccountControl") or [b"0"])[0]) if right else 0
        self.bound = right and not flags & 2
        data = "52e" if not right else "533"  # wrong password, disabled
        why = "" if self.bound else f"80090308: LdapErr: DSID-0C090446, AcceptSecurityContext error, data {data}, v4563"
        self.done(0x61, SUCCESS if self.bound else BAD_PASSWORD, why)

    def search(self, operation: Piece, controls: list[Piece]) -> None:
        base, scope, _, _, _, _, filter_, attributes = operation.parts()
        wanted = [each.text() for each in attributes.parts()]
        where, directory = base.text().lower(), self.directory
        paging = paging_of(controls)
        if not where and scope.number() == 0:
            if directory.root_for == "nobody" or (directory.root_for == "a reader" and not self.bound):
                self.done(0x65, directory.refusal, "authentication required")
                return
            self.show(directory.root(), wanted)
            self.done(0x65, SUCCESS)
        elif paging is not None and directory.paging == "refused":
            self.done(0x65, UNAVAILABLE, "no such control")
        elif not self.bound:
            self.done(0x65, OPERATIONS_ERROR, "In order to perform this operation a successful bind must be completed")
        elif where == directory.controller.lower() and directory.database:
            self.show(Object(directory.controller, {"invocationId": [directory.database]}), wanted)
            self.done(0x65, SUCCESS)
        elif not where.endswith(DOMAIN.lower()):
            self.done(0x65, REFERRAL)
        elif where not in directory.objects:
            self.done(0x65, NO_SUCH_OBJECT, "0000208D: NameErr: DSID-03100288, problem 2001 (NO_OBJECT)")
        elif scope.number() == 0:
            entry = directory.objects[where]
            if fits(filter_, entry):
                self.show(entry, wanted)
            self.done(0x65, SUCCESS)
        else:
            self.search_below(where, filter_, wanted, paging if directory.paging == "known" else None)

    def search_below(self, where: str, filter_: Piece, wanted: list[str], paging: tuple[int, bytes] | None) -> None:
        directory = self.directory
        size, cookie = paging if paging is not None else (MOST_ENTRIES, b"")
        if not cookie:
            directory.asked.append("changed" if b"uSNChanged" in filter_.body else "everything")
            below = [each for name, each in directory.objects.items() if name == where or name.endswith(f",{where}")]
            found = [each for each in below if fits(filter_, each)]
        else:
            found = self.pages[cookie]
        shown, rest = found[: min(size, MOST_ENTRIES)], found[min(size, MOST_ENTRIES) :]
        lie = directory.lie if cookie or "at once" in directory.lie else ""
        for each in shown[: len(shown) // 2] if lie else shown:
            self.show(each, wanted)
        if lie == "hangs up":
            self.wfile.flush()
            raise _HungUp
        for url in directory.referrals:
            self.say(encoded(0x73, octets(url)))
        if "answers late" in lie:
            self.server.stopping.wait(HELD_UP)
        if lie == "shows a part" or (paging is None and rest):
            self.done(0x65, SIZE_LIMIT)
            return
        following = self.following(lie, cookie, rest)
        value = octets(encoded(SEQUENCE, number(0), octets(following)))
        told = () if lie == "forgets the pages" or paging is None else (encoded(SEQUENCE, octets(PAGED), value),)
        self.done(0x65, SUCCESS, "", *told)
        if directory.between_pages is not None:
            directory.between_pages()

    def following(self, lie: str, cookie: bytes, rest: list[Object]) -> bytes:
        """Return by what the next page is asked for; empty if there is none."""
        if lie in {"promises more for ever", "shows one page for ever"}:
            self.pages[cookie] = [] if lie.startswith("promises") else self.pages[cookie]
            return cookie
        following = uuid.uuid4().bytes if rest else b""
        self.pages[following] = rest
        return following

    def show(self, entry: Object, wanted: list[str]) -> None:
        shown = []
        for name in wanted:
            values, called = entry.values(name), name
            if name.lower().startswith("member") and (cut := self.ranged(entry, name)) is not None:
                called, values = cut
            if values:
                shown.append(encoded(SEQUENCE, octets(called), encoded(SET, *(octets(each) for each in values))))
        dn = entry.dn.encode() if self.directory.lie != "has a name at once that is no text" else b"CN=\xff"
        self.say(encoded(0x64, octets(dn), encoded(SEQUENCE, *shown)))

    def ranged(self, entry: Object, name: str) -> tuple[str, list[bytes]] | None:
        """Return the part of the members that is shown at once; None if all of them are."""
        attribute, _, range_ = name.partition(";range=")
        values, begin = entry.values(attribute), int(range_.partition("-")[0]) if range_ else 0
        if not range_ and len(values) <= MOST_VALUES:
            return None
        if begin and self.directory.lie == "forgets the members":
            return name, []
        some = values[begin : begin + MOST_VALUES]
        last = "*" if begin + MOST_VALUES >= len(values) else str(begin + len(some) - 1)
        return f"{attribute};range={begin}-{last}", some


def paging_of(controls: list[Piece]) -> tuple[int, bytes] | None:
    """Return the size and the cookie of a page that was asked for (RFC 2696); None if none was."""
    for control in controls[0].parts() if controls else []:
        kind, *_, value = control.parts()
        if kind.text() == PAGED:
            size, cookie = Piece(SEQUENCE, value.body).parts()[0].parts()
            return size.number(), cookie.body
    return None


def fits(filter_: Piece, entry: Object) -> bool:
    """Return whether an entry fits a filter (RFC 4511 §4.5.1.7)."""
    parts = filter_.parts() if filter_.tag != 0x87 else []
    match filter_.tag:
        case 0xA0:
            return all(fits(each, entry) for each in parts)
        case 0xA1:
            return any(fits(each, entry) for each in parts)
        case 0xA2:
            return not fits(parts[0], entry)
        case 0xA3:
            return parts[1].body.lower() in [each.lower() for each in entry.values(parts[0].text())]
        case 0xA5:
            return any(int(each) >= int(parts[1].body) for each in entry.values(parts[0].text()))
        case 0x87:
            return bool(entry.values(filter_.text()))
        case 0xA9:
            told = {each.tag: each.text() for each in parts}
            return (told[0x81], told[0x82].lower()) == (IN_CHAIN, "member") and entry.holds(told[0x83].lower())
    return False


def as_bytes(value: Any) -> list[bytes]:
    """Return the values of an attribute."""
    many = value if isinstance(value, list) else [value]
    return [each if isinstance(each, bytes) else str(each).encode() for each in many]


@pytest.fixture
def active_directory() -> Iterator[ActiveDirectory]:
    """Return one with the people we know, that ends with the test."""
    need("python-ldap")
    made = ActiveDirectory()
    made.start()
    try:
        for dn in (DOMAIN, PEOPLE, GROUPS):
            made.add(dn, "organizationalUnit")
        made.add(f"CN=Reader,{DOMAIN}", "person", password=READER_PASSWORD, userPrincipalName=READER)
        alice, bob, *_ = [made.person(name) for name in ("alice", "bob", "carol", "mallory")]
        interns = made.group("interns", alice)
        made.group("engineering", interns)
        made.group("sales", bob)
        yield made
    finally:
        made.stop()
