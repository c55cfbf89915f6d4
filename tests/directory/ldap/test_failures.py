"""What becomes of a run when the directory breaks: it is told in words, nothing is lost, and nobody is locked out."""

import hashlib
import os
import re
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from authz.changes import runs, sources
from authz.directory.run import work, work_on
from authz.directory.trying import tried
from authz.models import Run, Source, User
from tests.directory import cast
from tests.directory.cast import BY
from tests.directory.ldap.steps import everything, hurried, synced
from tests.peers.slapd import BASE, NOBODY, READER, READER_PASSWORD, dn_of, inet, running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.peer("OpenLDAP")]


def corp(slapd, secret: str = READER_PASSWORD, **more: Any) -> Source:
    return sources.add(name="corp", kind="ldap", settings=slapd.settings | more, secret=secret, by=BY)


def down(slapd, source) -> None:
    slapd.stop()


def without_password(slapd, source) -> None:
    slapd.change(READER, userPassword="another")


def folder_renamed(slapd, source) -> None:
    settings = source.settings | {"people_base": f"ou=folks,{BASE}"}
    sources.edit(source, settings=settings, by=BY)


def filter_refused_by_the_server(slapd, source) -> None:
    sources.edit(source, settings=source.settings | {"people_filter": "(objectClass:nonsense:=x)"}, by=BY)


def filter_finds_nobody(slapd, source) -> None:
    sources.edit(source, settings=source.settings | {"people_filter": "(objectClass=device)"}, by=BY)


def groups_filter_finds_nothing(slapd, source) -> None:
    sources.edit(source, settings=source.settings | {"groups_filter": "(objectClass=device)"}, by=BY)


def no_longer_readable(slapd, source) -> None:
    text = (slapd.folder / "slapd.conf").read_text()
    slapd.stop()
    hidden = text.replace(f'access to * by dn.exact="{READER}" read', f'access to * by dn.exact="{READER}" search')
    (slapd.folder / "slapd.conf").write_text(hidden)
    slapd.start()


def limited(slapd, source) -> None:
    text = (slapd.folder / "slapd.conf").read_text()
    slapd.stop()
    (slapd.folder / "slapd.conf").write_text(text.replace("size.prtotal=unlimited", "size.prtotal=3"))
    slapd.start()


def secret_of_another_key(slapd, source) -> None:
    Source.objects.filter(pk=source.pk).update(secret="w1.AAAA")  # as after SECRET_KEY was changed


@pytest.mark.parametrize(
    ("breaks", "words"),
    [
        (down, "cannot be reached"),
        (without_password, "does not accept the name or the password that Gatehouse reads with"),
        (folder_renamed, "No such object"),
        (filter_refused_by_the_server, "showed nobody"),
        (filter_finds_nobody, "showed nobody, and 4 people came from it"),
        (groups_filter_finds_nothing, "showed no group, and 3 came from it"),
        (no_longer_readable, "showed nobody|has no entryUUID"),
        (limited, "shows only a part of what there is"),
        (secret_of_another_key, "cannot be read; SECRET_KEY has changed"),
    ],
)
def test_a_directory_that_breaks_changes_nothing_and_says_what_is_wrong(slapd, breaks, words):
    source = corp(slapd)
    synced(source)
    before = everything()
    breaks(slapd, source)
    source.refresh_from_db()
    run = synced(source)
    assert "failed" == run.state, run.preview
    assert re.search(words, run.failure, re.IGNORECASE), run.failure
    assert before == everything()
    assert run.failure == source.failure
    assert source.failing_since is not None


def test_a_directory_that_works_again_is_forgiven(slapd):
    source = corp(slapd)
    slapd.stop()
    assert "failed" == synced(source).state
    slapd.start()
    assert "done" == synced(source).state
    assert (None, "") == (source.failing_since, source.failure)


def test_a_directory_that_hangs_is_given_up(slapd):
    source = corp(slapd)
    synced(source)
    hurried(source)
    assert slapd.process is not None
    os.kill(slapd.process.child.pid, signal.SIGSTOP)
    try:
        run = synced(source)
    finally:
        os.kill(slapd.process.child.pid, signal.SIGCONT)
    assert "failed" == run.state
    assert "1 s" in run.failure or "cannot be reached" in run.failure


@pytest.mark.parametrize("way", ["ldaps", "starttls"])
@pytest.mark.parametrize(
    ("certificate", "own_ca", "words"),
    [
        ({}, False, "self.signed certificate|unable to get local issuer"),
        ({"names": ("ldap.example.com",)}, True, "IP address mismatch"),
        ({"days": -1}, True, "certificate has expired"),
    ],
)
def test_a_certificate_that_is_wrong_is_refused_and_told_why(tmp_path, way, certificate, own_ca, words):
    with running(tmp_path, **certificate) as slapd:
        url = slapd.tls_url if way == "ldaps" else slapd.url
        source = corp(slapd, urls=[url], tls="verify", ca=slapd.ca if own_ca else "")
        run = synced(source)
    assert "failed" == run.state
    assert re.search(f"certificate of {url} is not trusted: .*({words})", run.failure), run.failure
    assert 0 == User.objects.count()


def test_the_authorities_are_kept_by_us_alone_and_written_again_if_they_are_lost(slapd, tmp_path_factory, settings):
    with running(tmp_path_factory.mktemp("other")) as other:
        right = corp(slapd, urls=[slapd.tls_url], tls="verify", ca=slapd.ca)
        wrong = sources.add(
            name="branch", kind="ldap", secret=READER_PASSWORD, by=BY,
            settings=other.settings | {"urls": [other.tls_url], "tls": "verify", "ca": slapd.ca},
        )  # fmt: skip
        pem: str = right.settings["ca"]
        kept = Path(settings.DATA_DIR) / "ldap-ca" / f"{hashlib.sha256(pem.encode()).hexdigest()}.pem"
        for change in (kept.unlink, lambda: kept.write_text(other.ca), lambda: None):
            assert [True, False] == [tried(source)[0].fine for source in (right, wrong)]
            assert (0o700, 0o600) == (kept.parent.stat().st_mode & 0o777, kept.stat().st_mode & 0o777)
            change()


def test_a_folder_of_people_that_is_hidden_is_no_plan_of_removal(slapd):
    """A part of the directory that the reader may no longer see looks as if it were gone: the brake holds it."""
    source = corp(slapd, free_number=1)
    synced(source)
    slapd.delete(dn_of("alice"))
    slapd.delete(dn_of("bob"))
    before = everything()
    assert "waiting" == synced(source).state
    assert before == everything()


def test_a_run_whose_worker_was_killed_is_begun_again_by_another(slapd):
    source = corp(slapd)
    run = runs.ask(source, by=BY)
    assert run == runs.claim(worker="killed")
    assert 0 == work("another")
    Run.objects.filter(pk=run.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    assert 1 == work("another")
    run.refresh_from_db()
    assert ("done", "another", 2) == (run.state, run.worker, run.attempts)
    assert 4 == User.objects.count()


def test_a_worker_that_lost_its_run_stops(slapd):
    source = corp(slapd)
    runs.ask(source, by=BY)
    run = runs.claim(worker="slow")
    Run.objects.update(worker="another")
    assert run is not None
    work_on(run, worker="slow")
    assert 0 == User.objects.count()
    assert [("running", "another")] == list(Run.objects.values_list("state", "worker"))


def test_a_run_that_never_comes_to_its_end_is_given_up(slapd):
    source = corp(slapd)
    run = runs.ask(source, by=BY)
    Run.objects.update(attempts=runs.MOST_ATTEMPTS)
    work()
    run.refresh_from_db()
    assert ("failed", "it was begun 5 times and never came to its end") == (run.state, run.failure)


def test_one_directory_has_one_run_at_a_time(slapd):
    source = corp(slapd)
    runs.ask(source, by=BY)
    runs.ask(source, by=BY, mode=Run.PREVIEW)
    assert runs.claim(worker="one") is not None
    assert runs.claim(worker="two") is None


def test_a_directory_is_read_when_it_is_due_and_then_again(slapd):
    source = corp(slapd, every_minutes=5)
    assert 1 == work()
    assert 0 == work()
    source.refresh_from_db()
    assert source.due_at is not None
    assert timedelta(minutes=4) < source.due_at - timezone.now() <= timedelta(minutes=5)
    Source.objects.update(due_at=timezone.now())
    assert 1 == work()
    assert ["changes", "full"] == list(Run.objects.values_list("mode", flat=True))
    Source.objects.update(due_at=timezone.now(), full_at=timezone.now() - timedelta(hours=25))
    work()
    assert "full" == Run.objects.values_list("mode", flat=True)[0]


def test_removing_a_directory_waits_for_approval_and_then_takes_back_what_it_gave(slapd):
    source = corp(slapd)
    synced(source)
    run = synced(source, Run.REMOVAL)
    assert "waiting" == run.state
    assert {"groups_gone": 3, "people_suspended": 4, "people_gone": 4, "memberships_removed": 2} == (
        run.preview["counts"]
    )
    runs.approve(run, by=BY)
    work()
    assert 0 == Source.objects.count()
    assert set() == cast.memberships() | cast.groups()
    assert {("local", False)} == set(User.objects.values_list("source", "is_active"))


def test_members_that_are_nobody_here_are_of_no_concern(slapd):
    slapd.change("cn=sales,ou=groups,dc=example,dc=com", member=[dn_of("bob"), NOBODY, f"uid=x,ou=gone,{BASE}"])
    run = synced(corp(slapd))
    assert ("done", []) == (run.state, run.problems)


def test_errors_of_one_person_do_not_stop_the_rest(slapd):
    slapd.load([inet("bad", mail="no address"), inet("good")])
    run = synced(corp(slapd))
    assert "done" == run.state
    assert ["no address"] == [subject for subject, _ in run.problems]
    assert User.objects.filter(email="good@example.com").exists()
