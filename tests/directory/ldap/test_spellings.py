"""Which spelling of a DN names whom is for the server to say: nobody is taken for another, and nobody is lost."""

import itertools

import pytest

from authz.changes import sources
from authz.directory.ldap import names as spellings
from authz.models import Run
from tests.directory import cast
from tests.directory.cast import BY
from tests.directory.ldap.steps import synced
from tests.peers.slapd import GROUPS, PEOPLE, READER_PASSWORD, dn_of, inet, names

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.peer("OpenLDAP")]


@pytest.fixture(autouse=True)
def _nothing_is_remembered():
    spellings.SPELLINGS.forget()


HERE = ("ldap://ldap.example.com", "dc=example")


def corp(slapd, **more):
    return sources.add(name="corp", kind="ldap", settings=slapd.settings | more, secret=READER_PASSWORD, by=BY)


def members(group):
    return {person for person, name, _ in cast.memberships() if name == group}


TWO = {
    "ß and ss": ("straße", "strasse"),
    "a capital ß": ("straße", "STRAẞE"),
    "a dotless i": ("ina", "\u0131na"),
    "a Greek final s": ("\u03bf\u03c2", "\u03bf\u03c3"),
}
"""Names that OpenLDAP holds apart."""


@pytest.mark.parametrize(("one", "another"), TWO.values(), ids=TWO)
def test_of_two_that_look_alike_each_has_their_own(slapd, one, another):
    """Whichever of them is in the group, listed first, or gone from the server."""
    slapd.load([inet(one, mail="one@example.com"), inet(another, mail="another@example.com")])
    slapd.load([names("first", dn_of(one)), names("second", dn_of(another)), names("both", dn_of(another), dn_of(one))])
    source = corp(slapd)
    synced(source)
    assert ({"one"}, {"another"}, {"one", "another"}) == tuple(map(members, ("first", "second", "both")))
    slapd.delete(dn_of(another))
    for group in ("second", "both"):
        slapd.change(f"cn={group},{GROUPS}", description="touched")
    for mode in (Run.CHANGES, Run.FULL):
        synced(source, mode)
        assert {"one"} == members("first")
    assert (set(), {"one"}) == (members("second"), members("both"))


@pytest.mark.parametrize(("one", "another"), TWO.values(), ids=TWO)
@pytest.mark.parametrize("there", [True, False], ids=["left out", "not there"])
def test_one_who_is_left_out_by_the_filter_is_nobody_else(slapd, one, another, there):
    """The group names somebody whom the settings leave out, or nobody; who looks like them is no member of it."""
    slapd.load([inet(one, mail="one@example.com", title="kept")])
    slapd.load([inet(another, mail="another@example.com")] if there else [])
    slapd.load([names("secret", f"uid={another},{PEOPLE}")])
    source = corp(slapd, people_filter="(title=kept)")
    for mode in (Run.FULL, Run.CHANGES):
        synced(source, mode)
        assert set() == members("secret")


SAME = {
    "with a long s, which OpenLDAP holds to be an s": ("uid=sara", "uid=\u017fara"),
    "in another case": ("uid=max two", "UID=Max TWO"),
    "with more space": ("uid=max two", "uid=max   two"),
    "decomposed": ("uid=m\u00fcller", "uid=mu\u0308ller"),
    "by another name of the attribute": ("uid=max", "0.9.2342.19200300.100.1.1=max"),
    "with an escaped letter": ("uid=max", r"uid=ma\78"),
}


@pytest.mark.parametrize(("entry", "member"), SAME.values(), ids=SAME)
@pytest.mark.parametrize("mode", [Run.FULL, Run.CHANGES])
def test_whom_the_server_itself_finds_by_another_spelling_is_no_less_a_member(slapd, entry, member, mode):
    source = corp(slapd)
    synced(source)
    name = entry.removeprefix("uid=")
    slapd.load([inet(name, mail="max@example.com"), names("team", f"{member},{PEOPLE.upper()}")])
    synced(source, mode)
    assert {"max"} == members("team")
    synced(source)
    assert {"max"} == members("team")


def test_a_spelling_is_asked_for_once(slapd):
    """And is told by what the server said before, as long as the entry is there."""
    spelled = [f"uid={name.upper()},{PEOPLE}" for name in ("alice", "bob")]
    slapd.load([names("team", *spelled)])
    source = corp(slapd)
    synced(source)
    assert {"alice", "bob"} == members("team")
    _, known = spellings.SPELLINGS._known[source.pk]  # noqa: SLF001  how many questions were asked
    assert dict(zip(spelled, map(dn_of, ("alice", "bob")), strict=True)) == known
    slapd.delete(dn_of("bob"))
    synced(source)
    assert {"alice"} == members("team")


def test_a_bounded_number_of_spellings_is_kept(monkeypatch):
    monkeypatch.setattr(spellings, "REMEMBERED", 10)
    kept = spellings.Spellings()
    for number in itertools.islice(itertools.count(), 95):
        kept.keep(1, HERE, f"cn=a{number}", "cn=A")
    assert ("cn=A", None) == (kept.of(1, HERE, "cn=a94"), kept.of(2, HERE, "cn=a94"))
    assert len(kept._known[1][1]) <= 10  # noqa: SLF001  what is bounded


@pytest.mark.parametrize("elsewhere", [("ldap://other.example.com", HERE[1]), (HERE[0], "dc=other")])
def test_what_another_server_told_is_no_spelling_of_this_one(elsewhere):
    kept = spellings.Spellings()
    kept.keep(1, HERE, "cn=a", "cn=A")
    kept.keep(1, HERE, "cn=b", "cn=B")
    assert ("cn=A", None) == (kept.of(1, HERE, "cn=a"), kept.of(1, elsewhere, "cn=a"))
    kept.keep(1, elsewhere, "cn=a", "CN=a")
    assert ("CN=a", None) == (kept.of(1, elsewhere, "cn=a"), kept.of(1, elsewhere, "cn=b"))
    assert kept.of(1, HERE, "cn=a") is None


def test_a_directory_that_is_read_from_elsewhere_is_asked_again(slapd):
    slapd.load([names("team", f"uid=ALICE,{PEOPLE}")])
    source = corp(slapd)
    synced(source)
    # As if the server it was read from until now had called somebody so who is called otherwise here.
    there, known = spellings.SPELLINGS._known[source.pk]  # noqa: SLF001  what was told before
    known[f"uid=ALICE,{PEOPLE}"] = dn_of("bob")
    urls = [there[0].replace("127.0.0.1", "localhost")]
    assert urls != source.settings["urls"]
    sources.edit(source, settings=source.settings | {"urls": urls}, by=BY)
    source.refresh_from_db()
    synced(source)
    assert {"alice"} == members("team")
