"""Signing in with a password that only a directory knows, against a real OpenLDAP."""

import os
import signal
import socket
import threading
from contextlib import closing
from typing import Any

import pytest
from django.db import connections

from audit.models import Entry
from authz.changes import people, runs, sources
from authz.changes.sign_in import FACTOR
from authz.directory.run import work
from authz.directory.sign_in import MOST_AT_ONCE, _at_once, prove, sign_in
from authz.errors import BadCredential
from authz.models import FailedSignIn, Run, Session, Source, User
from tests.directory import cast
from tests.directory.cast import BY, somebody
from tests.directory.ldap.steps import comes_in
from tests.patience import HANG, until
from tests.peers.slapd import READER_PASSWORD, dn_of, group_dn, inet, names, running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.peer("OpenLDAP")]

OURS = "a password of ours only"


def corp(slapd, name: str = "corp", **more: Any) -> Any:
    return sources.add(name=name, kind="ldap", settings=slapd.settings | more, secret=READER_PASSWORD, by=BY)


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


@pytest.mark.parametrize("joins", ["never", "link", "adopt"])
@pytest.mark.parametrize("account", ["boss", "BOSS@example.com", "\uff42oss", "\uff42oss@example.com"])
def test_whoever_has_a_password_of_ours_comes_in_by_that_alone(slapd, joins, account):
    """By another name than their e-mail, they are found in the directory all the same."""
    slapd.load([inet("boss")])
    people.create(email="boss@example.com", password=OURS, by=BY)
    corp(slapd, joins=joins)
    assert "" == comes_in(account, "boss's password")
    assert 0 == Session.objects.count()
    assert "boss" == comes_in("boss@example.com", OURS)


def test_of_two_directories_each_lets_its_own_people_in(slapd, tmp_path_factory):
    with running(tmp_path_factory.mktemp("other")) as other:
        other.load([inet("dora")])
        other.change(dn_of("alice"), userPassword="another password")
        corp(slapd)
        corp(other, "west")  # asked after the other one, which so has Alice come in
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


WIDE = "\uff41lice"
"""With a letter that a directory takes for an ordinary one (RFC 4518 §2.3)."""
NAMES = ["alice", "ALICE", WIDE, "alic\uff45", " alice", "alice@example.com", "Alice@Example.COM"]


def test_guesses_at_one_entry_count_together_by_whichever_name(slapd, settings):
    settings.AUTHZ_SIGN_IN_ATTEMPTS = 4
    corp(slapd)
    for name in ("alice", "alice@example.com", WIDE, "alice "):
        assert "" == comes_in(name, "guess")
    assert [""] * len(NAMES) == [comes_in(name, "alice's password") for name in NAMES]
    assert "alice" == comes_in("alice", "alice's password", "192.0.2.2")
    assert "bob" == comes_in("bob", "bob's password")


def test_guesses_at_one_entry_from_many_addresses_count_together(slapd, settings):
    settings.AUTHZ_SIGN_IN_ATTEMPTS = 3
    corp(slapd)
    for number in range(3 * FACTOR):
        comes_in(NAMES[number % len(NAMES)], "guess", f"203.0.113.{number}")
    assert [""] * len(NAMES) == [
        comes_in(name, "alice's password", f"198.51.100.{number}") for number, name in enumerate(NAMES)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_good_sign_in_forgives_whatever_was_counted(slapd, settings, name):
    settings.AUTHZ_SIGN_IN_ATTEMPTS = 3
    corp(slapd)
    for _ in range(3):
        assert ["", "", "alice"] == [comes_in(name, word) for word in ("x", "y", "alice's password")]
    assert 0 == FailedSignIn.objects.exclude(account="").filter(account__startswith=" ").count()


def folder_gone(slapd, source) -> None:
    sources.edit(source, settings=source.settings | {"people_base": "ou=nowhere,dc=example,dc=com"}, by=BY)


def secret_unreadable(slapd, source) -> None:
    Source.objects.filter(pk=source.pk).update(secret="w1.AAAA")


def settings_unreadable(slapd, source) -> None:
    Source.objects.filter(pk=source.pk).update(settings=source.settings | {"ca": "no certificate", "tls": "verify"})


@pytest.mark.parametrize("breaks", [folder_gone, secret_unreadable, settings_unreadable])
def test_one_directory_that_is_broken_keeps_nobody_of_another_out(slapd, tmp_path_factory, breaks):
    with running(tmp_path_factory.mktemp("other")) as other:
        other.load([inet("dora")])
        broken = corp(slapd)
        corp(other, "later")
        breaks(slapd, broken)
        assert "dora" == comes_in("dora", "dora's password")
        with pytest.raises(BadCredential, match="cannot be asked just now"):
            sign_in(email="nobody", password="x", device="", address="")
    refused = Entry.objects.filter(kind="sign_in.refused").latest("number")
    assert "ldap:corp gave no answer" in refused.detail


def test_a_directory_that_hangs_keeps_nobody_of_another_waiting(slapd, tmp_path_factory):
    with running(tmp_path_factory.mktemp("other")) as other:
        other.load([inet("dora")])
        source = corp(slapd, patience=600)
        corp(other, "west")  # asked after the other one, which so has Alice come in
        assert ["alice", "dora"] == [comes_in(name, f"{name}'s password") for name in ("alice", "dora")]
        assert slapd.process is not None
        os.kill(slapd.process.child.pid, signal.SIGSTOP)

        alice = somebody("alice")

        def waits() -> None:
            prove("alice", "alice's password", alice, lambda _: True)
            connections.close_all()

        waiting = [threading.Thread(target=waits) for _ in range(MOST_AT_ONCE)]
        try:
            for each in waiting:
                each.start()
            until(lambda: not _at_once[source.pk]._value)  # noqa: SLF001  as many ask as may
            assert "dora" == comes_in("dora@example.com", "dora's password")
            assert all(each.is_alive() for each in waiting)
        finally:
            os.kill(slapd.process.child.pid, signal.SIGCONT)
            for each in waiting:
                each.join(HANG)
        assert not any(each.is_alive() for each in waiting)


def test_whoever_is_proven_and_waits_for_approval_is_told_so(slapd):
    source = corp(slapd, free_number=0, most_share=0)
    slapd.load([names("sales2", dn_of("alice"))])
    assert "alice" == comes_in("alice", "alice's password")
    before = cast.memberships()
    for group in ("interns", "sales2"):
        slapd.change(group_dn(group), member=["cn=nobody,dc=example,dc=com"])
    with pytest.raises(BadCredential, match="waits for an administrator's approval"):
        sign_in(email="alice", password="alice's password", device="", address="")
    with pytest.raises(BadCredential, match="do not belong together"):
        sign_in(email="alice", password="guess", device="", address="")
    assert before == cast.memberships()
    assert any("waits for approval" in entry.detail for entry in Entry.objects.filter(kind="sign_in.refused"))
    assert "waiting" == Run.objects.get(source=source).state


def test_whoever_gives_themselves_somebody_elses_id_does_not_come_in(slapd):
    for number, name in enumerate(("alice", "mallory")):
        slapd.change(dn_of(name), employeeNumber=str(number))
    corp(slapd, id_attribute="employeeNumber")
    assert "alice" == comes_in("alice", "alice's password")
    slapd.change(dn_of("mallory"), employeeNumber="0")
    assert "" == comes_in("mallory", "mallory's password")
    assert "alice@example.com" == User.objects.get().email


def test_an_entry_without_a_password_is_refused_and_no_failure(slapd):
    slapd.change(dn_of("alice"), userPassword=None)
    corp(slapd)
    with pytest.raises(BadCredential, match="do not belong together"):
        sign_in(email="alice", password="x", device="", address="")


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
