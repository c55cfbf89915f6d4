"""Active Directory, where it is not like other servers, and servers that lie."""

import re
import time
from typing import Any

import pytest

from authz.admin.source_forms import ACTIVE_DIRECTORY
from authz.changes import sources
from authz.directory.ldap.reading import read_directory
from authz.directory.sign_in import sign_in
from authz.errors import BadCredential
from authz.formats.sources import LdapSettings, read
from authz.models import ForeignMember, Identity, Run, Source, User
from tests.directory import cast
from tests.directory.cast import BY, somebody
from tests.directory.ldap.steps import comes_in, everything, hurried, synced
from tests.peers.active_directory import (
    CONTROLLER,
    DISABLED,
    DOMAIN,
    ENABLED,
    GROUPS,
    MOST_ENTRIES,
    PEOPLE,
    READER_PASSWORD,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.peer("python-ldap")]

PRESET = ACTIVE_DIRECTORY | {"login_attributes": ACTIVE_DIRECTORY["login_attributes"].splitlines(), "in_chain": True}
"""What the form for a new directory is filled with."""
IN_STEP = {("alice", "interns", "ldap:corp"), ("bob", "sales", "ldap:corp")}


def corp(ad, **more: Any) -> Source:
    return sources.add(name="corp", kind="ldap", settings=PRESET | ad.settings | more, secret=READER_PASSWORD, by=BY)


def ticks(moment: float) -> int:
    """Return a moment as accountExpires has it: in units of 100 ns since 1601."""
    return int((moment + 11_644_473_600) * 10_000_000)


def test_people_and_groups_are_mirrored_as_the_form_begins_with(active_directory):
    run = synced(corp(active_directory))
    assert ("done", []) == (run.state, run.problems)
    assert {f"{name}@example.com" for name in ("alice", "bob", "carol", "mallory")} == set(
        User.objects.values_list("email", flat=True)
    )
    assert IN_STEP == cast.memberships()


@pytest.mark.parametrize(
    ("attributes", "active"),
    [
        ({"userAccountControl": ENABLED}, True),
        ({"userAccountControl": DISABLED}, False),
        ({"userAccountControl": ENABLED | 0x10000}, True),  # the password never expires
        ({"userAccountControl": DISABLED | 0x10000}, False),
        ({"userAccountControl": None}, True),
        ({"userAccountControl": "none"}, False),
        ({"accountExpires": 0}, True),
        ({"accountExpires": 0x7FFFFFFFFFFFFFFF}, True),
        ({"accountExpires": ticks(time.time() + 3600)}, True),
        ({"accountExpires": ticks(time.time() - 3600)}, False),
        ({"accountExpires": None}, True),
        ({"accountExpires": "tomorrow"}, False),
    ],
)
def test_who_is_disabled(active_directory, attributes, active):
    source = corp(active_directory)
    synced(source)
    alice = active_directory.objects[f"cn=alice,{PEOPLE}".lower()]
    active_directory.change(alice, **attributes)
    synced(source, Run.CHANGES)
    assert active == somebody("alice").is_active


@pytest.mark.parametrize("mode", [Run.FULL, Run.CHANGES])
def test_whoever_is_renamed_or_moved_is_known_by_their_guid(active_directory, mode):
    source = corp(active_directory)
    synced(source)
    before = somebody("alice").pk
    alice = active_directory.objects[f"cn=alice,{PEOPLE}".lower()]
    active_directory.change(alice, displayName="Alice Smith", mail="asmith@example.com")
    active_directory.move(alice, f"CN=Alice Smith,{DOMAIN}")
    assert {"people_changed": 1} == synced(source, mode).preview["counts"]
    assert (before, "Alice Smith") == (somebody("asmith").pk, somebody("asmith").name)
    assert {("asmith", "interns", "ldap:corp"), ("bob", "sales", "ldap:corp")} == cast.memberships()


@pytest.mark.parametrize("members", [1499, 1500, 1501, 3000, 4000])
def test_a_large_group_is_read_whole_by_its_ranges(active_directory, members):
    people = [active_directory.person(f"p{number}") for number in range(members)]
    everyone = active_directory.group("everyone", *people)
    source = corp(active_directory, page=1000)
    settings = read(LdapSettings, source.settings)
    observed = read_directory(source, settings, since="", watch=lambda *_: None)
    assert members + 4 == len(observed.people)
    assert [members] == [len(group.members or ()) for group in observed.groups.values() if group.locator == everyone.dn]


def test_groups_above_count_at_sign_in_even_if_they_were_nested_just_now(active_directory):
    source = corp(active_directory)
    synced(source)
    engineering = active_directory.objects[f"cn=engineering,{GROUPS}".lower()]
    active_directory.group("staff", engineering)
    assert "alice" == comes_in("alice", "alice's password")
    # That interns are in engineering is known, and not said of alice again; that those are staff is not yet.
    assert IN_STEP | {("alice", "staff", "ldap:corp")} == cast.memberships()
    synced(source)
    assert IN_STEP == cast.memberships()
    assert 2 == ForeignMember.objects.count()
    assert "alice" == comes_in("alice@corp.example.com", "alice's password")
    assert IN_STEP == cast.memberships()


@pytest.mark.parametrize("account", ["alice", "ALICE@example.com", "alice@corp.example.com"])
def test_whoever_is_disabled_does_not_come_in(active_directory, account):
    source = corp(active_directory)
    synced(source)
    active_directory.change(active_directory.objects[f"cn=alice,{PEOPLE}".lower()], userAccountControl=DISABLED)
    assert "" == comes_in(account, "alice's password")
    assert "bob" == comes_in("bob", "bob's password")


def another_controller(ad) -> None:
    ad.controller = CONTROLLER.replace("DC1", "DC2")


def restored_from_a_backup(ad) -> None:
    ad.usn -= 1000


def restored_and_counted_on(ad) -> None:
    ad.database = b"another database"


def nothing_happened(ad) -> None:
    pass


@pytest.mark.parametrize(
    ("happens", "database", "asked"),
    [
        (nothing_happened, b"", "changed"),
        (nothing_happened, b"sixteen bytes ..", "changed"),
        (another_controller, b"", "everything"),
        (restored_from_a_backup, b"", "everything"),
        (restored_from_a_backup, b"sixteen bytes ..", "everything"),
        (restored_and_counted_on, b"sixteen bytes ..", "everything"),
    ],
)
def test_what_changed_is_asked_of_the_database_that_counted(active_directory, happens, database, asked):
    active_directory.database = database
    source = corp(active_directory)
    synced(source)
    assert source.cursor.startswith("usn/")
    happens(active_directory)
    active_directory.asked.clear()
    assert "done" == synced(source, Run.CHANGES).state
    assert {asked} == set(active_directory.asked)


def test_what_changes_while_it_is_read_is_read_the_next_time(active_directory):
    source = corp(active_directory)
    alice = active_directory.objects[f"cn=alice,{PEOPLE}".lower()]
    active_directory.between_pages = lambda: active_directory.change(alice, userAccountControl=DISABLED)
    synced(source)
    assert somebody("alice").is_active
    active_directory.between_pages = None
    synced(source, Run.CHANGES)
    assert not somebody("alice").is_active


def test_members_below_a_folder_that_was_renamed_are_looked_up(active_directory):
    source = corp(active_directory)
    active_directory.add(f"OU=East,{PEOPLE}", "organizationalUnit")
    people = [active_directory.person(f"e{n}", dn=f"CN=e{n},OU=East,{PEOPLE}") for n in range(3)]
    team = active_directory.group("team", *people)
    synced(source)
    active_directory.move(active_directory.objects[f"ou=east,{PEOPLE}".lower()], f"OU=West,{PEOPLE}")
    bob = active_directory.objects[f"cn=bob,{PEOPLE}".lower()]
    inner = active_directory.group("inner", bob)
    active_directory.change(team, members=[*people, inner, f"CN=Gone,{PEOPLE}", "CN=Else,DC=other"])
    synced(source, Run.CHANGES)
    assert {("e0", "team"), ("e1", "team"), ("e2", "team"), ("bob", "inner")} < {
        (person, group) for person, group, _ in cast.memberships()
    }
    assert "changed" == active_directory.asked[-1]
    assert f"CN=e0,OU=West,{PEOPLE}" == Identity.objects.get(person=somebody("e0")).locator


def test_so_many_unknown_members_that_everything_is_read_instead(active_directory):
    source = corp(active_directory)
    synced(source)
    active_directory.delete(active_directory.objects[f"cn=carol,{PEOPLE}".lower()])
    active_directory.group("large", *(f"CN=nobody{n},{PEOPLE}" for n in range(300)))
    synced(source, Run.CHANGES)
    assert somebody("carol").is_active
    active_directory.group("larger", *(f"CN=nobody{n},{PEOPLE}" for n in range(501)))
    synced(source, Run.CHANGES)
    assert "everything" == active_directory.asked[-1]
    assert not somebody("carol").is_active


def test_referrals_to_other_servers_are_not_followed(active_directory):
    active_directory.referrals = (f"ldap://ForestDnsZones.corp.example.com/DC=ForestDnsZones,{DOMAIN}",) * 3
    run = synced(corp(active_directory))
    assert ("done", []) == (run.state, run.problems)
    assert IN_STEP == cast.memberships()
    assert "alice" == comes_in("alice", "alice's password")


@pytest.mark.parametrize("paging", ["refused", "ignored"])
@pytest.mark.parametrize("mode", [Run.FULL, Run.CHANGES])
def test_a_server_that_knows_of_no_pages_is_read_whole(active_directory, paging, mode):
    """As LLDAP and glauth: a plain search that ends in success shows all there is."""
    active_directory.paging = paging
    source = corp(active_directory)
    assert "done" == synced(source).state
    assert IN_STEP == cast.memberships()
    active_directory.person("dora")
    assert "done" == synced(source, mode).state
    assert somebody("dora").is_active
    assert "alice" == comes_in("alice", "alice's password")


@pytest.mark.parametrize("paging", ["refused", "ignored"])
def test_a_server_that_knows_of_no_pages_and_has_more_than_it_shows_changes_nothing(active_directory, paging):
    source = corp(active_directory)
    synced(source)
    before = everything()
    active_directory.paging = paging
    for number in range(MOST_ENTRIES):
        active_directory.person(f"p{number}")
    run = synced(source)
    assert "failed" == run.state
    assert "shows only a part of what there is" in run.failure
    assert before == everything()


ROOTS = {"insufficient access": 0x32, "a stronger proof": 0x08, "unwilling": 0x35, "nothing there": 0x20, "other": 0x50}


@pytest.mark.parametrize("refusal", ROOTS.values(), ids=ROOTS)
@pytest.mark.parametrize("root_for", ["a reader", "nobody"])
def test_a_server_that_shows_its_root_to_no_stranger_is_there_all_the_same(active_directory, root_for, refusal):
    active_directory.root_for, active_directory.refusal = root_for, refusal
    assert "done" == synced(corp(active_directory)).state
    assert IN_STEP == cast.memberships()
    assert "alice" == comes_in("alice", "alice's password")


LIES = [
    ("hangs up", "hung up after 10 entries"),
    ("forgets the pages", "without saying whether there is more"),
    ("promises more for ever", "promised more after .* and showed nothing on 100 pages"),
    ("shows one page for ever", "shows the same entries again"),
    ("shows a part", "shows only a part of what there is"),
    ("answers late", "did not answer within 1 s"),
    ("answers late at once", "did not answer within 1 s"),
    ("forgets the members", "ended in the middle of its member"),
    ("has a name at once that is no text", "cannot be understood"),
]


@pytest.mark.parametrize(("lie", "words"), LIES)
@pytest.mark.parametrize("mode", [Run.FULL, Run.CHANGES])
def test_a_server_that_lies_changes_nothing(active_directory, lie, words, mode):
    people = [active_directory.person(f"p{number}") for number in range(25)]
    large = active_directory.group("large", *people, *(f"CN=x{number},DC=elsewhere" for number in range(1600)))
    source = corp(active_directory, page=10, free_number=50)
    assert "done" == synced(source).state
    before, cursor = everything(), source.cursor
    for each in (*people, large):
        active_directory.change(each, displayName="Changed")
    active_directory.lie, patient = lie, source.settings
    if "late" in lie:
        hurried(source)
    run = synced(source, mode)
    assert "failed" == run.state, run.preview
    assert re.search(words, run.failure), run.failure
    assert (before, cursor) == (everything(), source.cursor)
    active_directory.lie = ""
    Source.objects.filter(pk=source.pk).update(settings=patient)
    assert "done" == synced(source, mode).state
    assert "Changed" == somebody("p1").name


@pytest.mark.parametrize("lie", ["answers late at once", "has a name at once that is no text"])
def test_a_server_that_lies_lets_nobody_in_and_is_said_to_be_down(active_directory, lie):
    source = corp(active_directory)
    synced(source)
    hurried(source)
    active_directory.lie = lie
    with pytest.raises(BadCredential, match="cannot be asked just now"):
        sign_in(email="alice", password="alice's password", device="", address="")
