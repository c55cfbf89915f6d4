"""The pieces of a read that need no server: cursors, names, and values that are no text."""

from datetime import UTC, datetime
from typing import Any

import pytest

pytest.importorskip("ldap", reason="python-ldap is not installed: no directory is read, and nobody signs in by one")

from authz.directory.ldap.cursors import Here, changed_since, next_one
from authz.directory.ldap.entries import person_of
from authz.directory.ldap.names import Names, is_below, spelled
from authz.directory.ldap.values import first, kept, no_text
from authz.directory.observed import ObservedPerson, Problem
from authz.formats.sources import LdapSettings, read
from tests.directory.cast import LDAP

NOON = Here("time", datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC))
DC1 = Here("usn", NOON.began, "dc1", 500)


@pytest.mark.parametrize(
    ("now", "moments", "before", "after"),
    [
        (NOON, ["20261122110000Z", "20261122100000Z"], "", "time/20261122110000Z"),
        (NOON, ["20261122110000.5Z", "20261122110000Z"], "", "time/20261122110000Z"),
        (NOON, ["20261122115900Z"], "", "time/20261122115800Z"),  # it may have changed again while the rest was read
        (NOON, ["20261122120500Z"], "", "time/20261122115800Z"),  # changed while it was read
        (NOON, ["20261122110000Z", "20990101000000Z"], "", "time/20261122110000Z"),
        (NOON, ["20990101000000Z"], "time/20261122100000Z", "time/20261122100000Z"),
        (NOON, ["20269999000000Z", "yesterday", ""], "", ""),
        (NOON, [], "time/20261122100000Z", "time/20261122100000Z"),
        (DC1, ["20261122110000Z"], "", "usn/dc1/500"),
        (DC1._replace(server="d" * 200), [], "", ""),
        (Here("", NOON.began), ["20261122110000Z"], "", ""),
    ],
)
def test_the_next_read_begins_no_later_than_this_one_did(now, moments, before, after):
    assert after == next_one(now, moments, before)


@pytest.mark.parametrize(
    ("cursor", "now", "filter_"),
    [
        ("time/20261122110000Z", NOON, "(modifyTimestamp>=20261122105800Z)"),
        ("time/20990101000000Z", NOON, ""),
        ("time/20269999000000Z", NOON, ""),
        ("time/x)(cn=*", NOON, ""),
        ("usn/dc1/400", NOON, ""),
        ("usn/dc1/400", DC1, "(uSNChanged>=401)"),
        ("usn/dc1/500", DC1, "(uSNChanged>=501)"),
        ("usn/dc1/501", DC1, ""),
        ("usn/dc2/400", DC1, ""),
        ("usn/dc1/x", DC1, ""),
        ("", DC1, ""),
    ],
)
def test_what_a_cursor_asks_for(cursor, now, filter_):
    assert filter_ == changed_since(cursor, now)


@pytest.mark.parametrize(
    ("one", "another", "same"),
    [
        ("cn=alice,dc=x", "CN=Alice, DC=X", True),
        ("cn=alice+sn=a,dc=x", "SN=A+CN=alice,dc=x", True),
        (r"cn=a\,b,dc=x", r"cn=a\2cb,dc=x", True),
        (r"cn=alice\,ou=admins,dc=x", "cn=alice,ou=admins,dc=x", False),
        (r"cn=alice\+sn=a,dc=x", "cn=alice+sn=a,dc=x", False),
        (r"cn=a\\,dc=x", r"cn=a\,dc=x", False),
        ("cn=alice,dc=x", "cn=alice,dc=x,dc=y", False),
    ],
)
def test_two_names_are_one_entry(one, another, same):
    assert same == (Names([(one, "alice")]).key(another) == "alice")


def test_what_is_below_a_folder():
    base = spelled("OU=People,DC=x")
    below = ["ou=people,dc=x", "cn=a,ou=people,dc=x", "cn=a,ou=b,OU=people, dc=x"]
    beside = ["dc=x", "ou=people", "cn=a,ou=groups,dc=x", r"cn=a\,ou=people,dc=x", "no dn"]
    assert [True] * 3 + [False] * 5 == [is_below(spelled(dn), base) for dn in below + beside]


@pytest.mark.parametrize("value", [b"\xff\xfe", b"a\0b", b"\xed\xa0\x80"])
def test_what_no_database_holds_is_no_text(value):
    entry = {"cn": [value], "mail": [b"alice@example.com"], "title": [value, b"Intern"]}
    assert ("", "alice@example.com") == (first(entry, "cn"), first(entry, "mail"))
    assert ["cn"] == no_text(entry, ["cn", "mail", "sn"])
    assert {"title": ("Intern",)} == kept(entry, ["cn", "title"])


def seen(dn: str = "cn=alice,dc=x", **attributes: Any) -> ObservedPerson | Problem:
    entry = {name.lower(): [value] for name, value in attributes.items()}
    return person_of(dn, entry, read(LdapSettings, LDAP), now=0)


def test_a_name_too_long_to_be_kept_leaves_somebody_who_they_are():
    found = seen(f"cn=alice,{'ou=x,' * 300}dc=x", entryUUID=b"a1")
    assert isinstance(found, ObservedPerson)
    assert ("a1", "") == (found.key, found.locator)


@pytest.mark.parametrize("key", [b"", b"\xff", b"a\0", b"a\n", b"a" * 256])
def test_what_is_no_lasting_id_is_told(key):
    assert isinstance(seen(entryUUID=key), Problem)
