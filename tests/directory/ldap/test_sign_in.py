"""Signing in with a password that only a directory knows, against a real OpenLDAP."""

import socket
from contextlib import closing
from typing import Any

import pytest

from authz.changes import people, runs, sources
from authz.directory.run import work
from authz.directory.sign_in import sign_in
from authz.errors import BadCredential
from authz.models import FailedSignIn, Session, User
from tests.directory import cast
from tests.directory.cast import BY, somebody
from tests.peers.slapd import READER_PASSWORD, dn_of, group_dn, inet, names, running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.peer("OpenLDAP")]

OURS = "a password of ours only"


def corp(slapd, name: str = "corp", **more: Any) -> Any:
    return sources.add(name=name, kind="ldap", settings=slapd.settings | more, secret=READER_PASSWORD, by=BY)


def comes_in(account: str, password: str) -> str:
    """Return who came in; nobody's name is empty."""
    try:
        begun = sign_in(email=account, password=password, device="a browser", address="192.0.2.1")
    except BadCredential:
        return ""
    return begun.row.person.email.partition("@")[0]


@pytest.mark.parametrize(
    ("account", "password", "who"),
    [
        ("alice@example.com", "alice's password", "alice"),
        ("alice", "alice's password", "alice"),
        ("ALICE@Example.com", "alice's password", "alice"),
        ("alice", "bob's password", ""),
        ("alice", "", ""),
        ("nobody", "alice's password", ""),
        ("*", "alice's password", ""),
        ("ali*", "alice's password", ""),
        ("alice)(uid=*", "alice's password", ""),
        ("*)(|(uid=alice", "alice's password", ""),
        ("alice%(user)s", "alice's password", ""),
        ("alice\\2a", "alice's password", ""),
        ("reader", READER_PASSWORD, ""),
    ],
)
def test_who_comes_in_by_what_they_typed(slapd, account, password, who):
    corp(slapd)
    assert who == comes_in(account, password)
    assert (1 if who else 0) == User.objects.count()


def test_whoever_comes_in_brings_their_groups_along(slapd):
    source = corp(slapd)
    comes_in("alice", "alice's password")
    assert {("alice", "interns", str(source))} == cast.memberships()
    slapd.change(group_dn("sales"), member=[dn_of("alice")])
    slapd.change(group_dn("interns"), member=["cn=nobody,dc=example,dc=com"])
    comes_in("alice", "alice's password")
    assert {("alice", "sales", str(source))} == cast.memberships()


def test_an_account_that_is_disabled_does_not_come_in_and_loses_what_it_had(slapd):
    corp(slapd, disabled_attribute="employeeType")
    assert "alice" == comes_in("alice", "alice's password")
    slapd.change(dn_of("alice"), employeeType="TRUE")
    assert "" == comes_in("alice", "alice's password")
    assert not somebody("alice").is_active
    assert 0 == Session.objects.filter(ended_at=None).count()


def test_an_account_that_is_gone_does_not_come_in(slapd):
    corp(slapd)
    comes_in("alice", "alice's password")
    slapd.delete(dn_of("alice"))
    assert "" == comes_in("alice", "alice's password")


def test_whom_an_administrator_suspended_does_not_come_in(slapd):
    corp(slapd)
    comes_in("alice", "alice's password")
    people.suspend(somebody("alice"), by=BY)
    assert "" == comes_in("alice", "alice's password")


@pytest.mark.parametrize("joins", ["never", "link", "adopt"])
def test_an_administrator_with_a_password_of_ours_is_nobody_elses(slapd, joins):
    slapd.load([inet("boss")])
    people.create(email="boss@example.com", password=OURS, by=BY)
    corp(slapd, joins=joins)
    assert "" == comes_in("boss@example.com", "boss's password")
    assert "boss" == comes_in("boss@example.com", OURS)
    assert "local" == somebody("boss").source


def test_of_two_directories_each_lets_its_own_people_in(slapd, tmp_path_factory):
    with running(tmp_path_factory.mktemp("other")) as other:
        other.load([inet("dora")])
        other.change(dn_of("alice"), userPassword="another password")
        corp(slapd)
        corp(other, "branch")
        assert "alice" == comes_in("alice", "alice's password")
        assert "dora" == comes_in("dora", "dora's password")
        assert "" == comes_in("alice@example.com", "another password")
        assert "ldap:corp" == somebody("alice").source


def test_two_entries_of_one_name_are_nobody(slapd):
    slapd.load([inet("twin", mail="alice@example.com")])
    corp(slapd)
    assert "" == comes_in("alice@example.com", "alice's password")


def test_guessing_waits_as_it_does_for_our_own_passwords(slapd, settings):
    settings.AUTHZ_SIGN_IN_ATTEMPTS = 3
    corp(slapd)
    for _ in range(3):
        comes_in("alice", "guess")
    assert "" == comes_in("alice", "alice's password")
    assert FailedSignIn.objects.filter(account="alice").exists()


def test_a_directory_that_is_down_is_said_to_be(slapd):
    corp(slapd)
    comes_in("alice", "alice's password")
    slapd.stop()
    with pytest.raises(BadCredential, match="cannot be asked just now"):
        sign_in(email="alice", password="alice's password", device="", address="")


def test_a_directory_that_is_switched_off_lets_nobody_in(slapd):
    source = corp(slapd)
    comes_in("alice", "alice's password")
    sources.edit(source, enabled=False, by=BY)
    assert "" == comes_in("alice", "alice's password")


def test_the_second_of_two_servers_answers_when_the_first_is_down(slapd):
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    corp(slapd, urls=[f"ldap://127.0.0.1:{port}", slapd.url])
    assert "alice" == comes_in("alice", "alice's password")


@pytest.mark.parametrize("way", ["ldaps", "starttls"])
def test_tls_is_verified_by_the_authority_that_was_named(slapd, way):
    corp(slapd, urls=[slapd.tls_url if way == "ldaps" else slapd.url], tls="verify", ca=slapd.ca)
    assert "alice" == comes_in("alice", "alice's password")


def test_groups_above_are_reached_through_nesting(slapd):
    slapd.load([names("staff", group_dn("interns"))])
    source = corp(slapd)
    runs.ask(source, by=BY)
    work()
    comes_in("alice", "alice's password")
    assert {("alice", "interns", str(source)), ("bob", "sales", str(source))} == cast.memberships()
