"""The pieces of a read that need no server: cursors, names, and values that are no text."""

from datetime import UTC, datetime
from typing import Any

import pytest

pytest.importorskip("ldap", reason="python-ldap is not installed: no directory is read, and nobody signs in by one")

from authz.directory.ldap.cursors import Here, changed_since, next_one
from authz.directory.ldap.entries import person_of
from authz.directory.ldap.names import Names, may_be_below
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


ALIKE = {
    "in another case": ("cn=alice,dc=x", "CN=Alice, DC=X"),
    "in another order": ("cn=alice+sn=a,dc=x", "SN=A+CN=alice,dc=x"),
    "escaped otherwise": (r"cn=a\,b,dc=x", r"cn=a\2cb,dc=x"),
    "with more space": ("cn=Max Two,dc=x", "cn=Max   Two ,dc=x"),
    "decomposed": ("cn=M\u00fcller,dc=x", "cn=Mu\u0308ller,dc=x"),
    "with ss for ß": ("uid=straße,dc=x", "uid=STRASSE,dc=x"),
    "with a capital ß": ("uid=straße,dc=x", "uid=STRAẞE,dc=x"),
    "with a dotted I": ("uid=i,dc=x", "uid=\u0130,dc=x"),
    "with a soft hyphen": ("cn=alice,dc=x", "cn=al\u00adice,dc=x"),
    "in full width": ("cn=alice,dc=x", "cn=\uff41lice,dc=x"),
    "with another name of the attribute": ("cn=alice,dc=x", "2.5.4.3=alice,domainComponent=x"),
    "without its accent": ("cn=Jos\u00e9,dc=x", "cn=jose,dc=x"),
    "without its accent, decomposed": ("cn=Jose\u0301,dc=x", "cn=jose,dc=x"),
    "in hexadecimal": ("cn=alice,dc=x", "cn=#0405616c696365,dc=x"),
    # The length of this value, 48, is the digit 0 if it is taken for a character.
    "in hexadecimal, and longer": (f"cn={'a' * 48},dc=x", f"cn=#0430{'61' * 48},dc=x"),
    "in hexadecimal, and no text": ("cn=alice,dc=x", "cn=#0402ff80,dc=x"),
}


@pytest.mark.parametrize(("one", "another"), ALIKE.values(), ids=ALIKE)
def test_another_spelling_is_a_reason_to_ask_and_no_answer(one, another):
    """What the server makes of them is its matching rule's to say."""
    names = Names([(one, "alice")])
    assert "alice" == names.key(one)
    assert names.key(another) is None
    assert names.may_know(another)
    assert {"alice"} == names.keys_alike(another)


OTHERS = {
    "a comma within": (r"cn=alice\,ou=admins,dc=x", "cn=alice,ou=admins,dc=x"),
    "a plus within": (r"cn=alice\+sn=a,dc=x", "cn=alice+sn=a,dc=x"),
    "an escaped number sign": ("cn=alice,dc=x", r"cn=\#Shared,dc=x"),
    "a number sign of both": (r"cn=\#alice,dc=x", r"cn=\#Shared,dc=x"),
    "another letter": ("cn=alice,dc=x", "cn=alicf,dc=x"),
    "one part more": ("cn=alice,dc=x", "cn=alice,dc=x,dc=y"),
    "one part less": ("cn=alice,dc=x", "cn=alice"),
}


@pytest.mark.parametrize(("one", "another"), OTHERS.values(), ids=OTHERS)
def test_another_name_is_no_reason_to_ask(one, another):
    names = Names([(one, "alice")])
    assert not names.may_know(another)
    assert set() == names.keys_alike(another)


def test_what_is_learnt_after_a_question_is_known_at_the_next():
    names = Names([("cn=a,dc=x", "a")])
    assert not names.may_know("cn=B,dc=x")
    names.add("cn=b,dc=x", "b")
    assert names.may_know("cn=B,dc=x")
    names.learn([("cn=c,dc=x", "c"), ("cn=a,dc=x", "another")])
    assert ("c", "a") == (names.key("cn=c,dc=x"), names.key("cn=a,dc=x"))
    assert names.may_know("cn=C,dc=x")


STALE = {
    "somebody read has it in another case": [("CN=X,DC=e", "carol")],
    "somebody read has it, without its accent": [("CN=\u1e8a,DC=e", "carol")],
    "they were read elsewhere": [("cn=y,dc=e", "alice")],
}


@pytest.mark.parametrize("read", STALE.values(), ids=STALE)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_name_from_before_is_not_believed_against_what_was_read(read, when):
    names, learnt = Names(), [("cn=x,dc=e", "alice"), ("cn=z,dc=e", "bob")]
    if when == "after":
        names.learn(learnt)
        assert "alice" == names.key("cn=x,dc=e")
    for dn, key in read:
        names.add(dn, key)
    if when == "before":
        names.learn(learnt)
    assert (None, "bob") == (names.key("cn=x,dc=e"), names.key("cn=z,dc=e"))
    assert names.may_know("cn=x,dc=e")
    assert read[0][1] == names.key(read[0][0])


def test_a_name_from_before_is_not_believed_against_an_entry_that_is_not_taken():
    names = Names()
    names.see("CN=X,DC=e", "twin")
    names.learn([("cn=x,dc=e", "alice")])
    assert (None, None) == (names.key("cn=x,dc=e"), names.key("CN=X,DC=e"))


@pytest.mark.parametrize("another", ["cn=x,dc=e", "CN=X,DC=e"])
def test_of_two_from_before_that_are_alike_neither_is_chosen(another):
    names = Names()
    names.learn([("cn=x,dc=e", "alice"), (another, "bob")])
    assert (None, None) == (names.key("cn=x,dc=e"), names.key("CN=X,DC=e"))
    assert {"alice", "bob"} == names.keys_alike("cn=x,dc=e")


def test_what_is_long_or_no_dn_is_asked_about():
    names = Names([("cn=a,dc=x", "a")])
    assert names.may_know("no dn")
    assert names.may_know(f"cn={'a' * 2000},dc=x")
    assert not Names().may_know("no dn")


def test_what_may_be_below_a_folder():
    base = "OU=People,DC=x"
    below = ["ou=people,dc=x", "cn=a,ou=people,dc=x", "cn=a,ou=b,OU=people, dc=x", "no dn"]
    beside = ["dc=x", "ou=people", "cn=a,ou=groups,dc=x", r"cn=a\,ou=people,dc=x"]
    assert [True] * 4 + [False] * 4 == [may_be_below(dn, base) for dn in below + beside]


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
