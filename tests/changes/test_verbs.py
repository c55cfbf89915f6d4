"""Each verb does what it says, in one transaction, with one entry in the book for each thing that happened."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from audit.context import Actor
from audit.models import Entry
from authz.changes import api_keys, grants, groups, issuers, memberships, people, proxies, servers, sessions
from authz.changes.beginnings import begin_another_history
from authz.changes.change import change
from authz.errors import AuthzError, Conflict, InvalidName, NestingCycle
from authz.lookups.build import build
from authz.models import ApiKey, Change, Group, Membership, Nesting, Proxy, Revision, Session, User

pytestmark = pytest.mark.django_db
CAROL = Actor.person("carol@example.com", address="192.0.2.1")
PASSWORD = "correct horse battery"


def revision() -> int:
    """Return the newest revision."""
    return Revision.objects.get().n


def kinds() -> list[str]:
    """Return the kinds of all entries in the book, in order."""
    return list(Entry.objects.order_by("number").values_list("kind", flat=True))


def test_creating_somebody_writes_row_entry_and_revision_together() -> None:
    """One revision, one change with its facts, one entry that says who did it."""
    alice = people.create(email=" Alice@Example.COM ", name="Alice", by=CAROL)
    assert "alice@example.com" == alice.email
    entry = Entry.objects.get()
    assert ("person.created", "carol@example.com", "192.0.2.1", "alice@example.com", 1) == (
        entry.kind, entry.actor, entry.address, entry.subject, entry.revision,
    )  # fmt: skip
    assert 1 == revision() == Change.objects.get().revision


BAD_PEOPLE = {
    "the same address in another case": {"email": "ALICE@example.com"},
    "no address": {"email": "  "},
    "two at signs": {"email": "a@evil.com@corp.com"},
    "a control character": {"email": "a\x00b@example.com"},
    "full-width letters": {"email": "\uff41lice@example.com"},
    "a name that cannot be shown": {"email": "x@example.com", "name": "x\u202ey"},
    "a password that is too short": {"email": "x@example.com", "password": "short"},
}


@pytest.mark.parametrize("wrong", BAD_PEOPLE.values(), ids=BAD_PEOPLE)
def test_a_person_who_cannot_be_is_refused_and_nothing_is_written(wrong: dict[str, str]) -> None:
    """The error names what is wrong; row, entry and revision stay as they were."""
    people.create(email="alice@example.com", by=CAROL)
    before = (User.objects.count(), kinds(), revision())
    with pytest.raises((AuthzError, ValidationError)):
        people.create(by=CAROL, **wrong)  # type: ignore[arg-type]  # rows of the table above
    assert before == (User.objects.count(), kinds(), revision())


def test_an_edit_that_changes_nothing_is_no_change() -> None:
    """No revision and no entry for saving a form as it was."""
    alice = people.create(email="alice@example.com", name="Alice", by=CAROL)
    people.edit(alice, name="Alice", email="alice@example.com", by=CAROL)
    people.restore(alice, by=CAROL)
    assert (1, ["person.created"]) == (revision(), kinds())


def test_suspending_ends_sessions_and_says_why() -> None:
    """Her sessions end with her, in the same change."""
    alice = people.create(email="alice@example.com", by=CAROL)
    begun = sessions.begin(
        person=alice, device="Browser", address="", lifetime=timedelta(hours=1), idle=timedelta(hours=1), by=CAROL
    )
    people.suspend(alice, reason="left", by=CAROL)
    assert ["person.created", "session.started", "person.suspended", "session.ended"] == kinds()
    assert "suspended" == Session.objects.get(pk=begun.row.pk).ended_because
    assert 1 == len(set(Entry.objects.filter(number__gte=3).values_list("revision", flat=True)))


def test_a_verb_inside_a_change_belongs_to_it() -> None:
    """Both happen, at one revision; and if the second cannot, the first did not."""
    with change(CAROL):
        groups.create(name="engineering", by=CAROL)
        groups.create(name="sales", by=CAROL)
    assert (1, 1) == (revision(), Change.objects.count())
    with pytest.raises(Conflict), change(CAROL):  # noqa: PT012  the second of two is what fails
        groups.create(name="marketing", by=CAROL)
        groups.create(name="SALES", by=CAROL)
    assert not Group.objects.filter(name="marketing").exists()
    assert (1, 1) == (revision(), Change.objects.count())


def test_a_nesting_that_closes_a_circle_is_refused_with_the_path() -> None:
    """The path reads from the group that was to be nested back to itself."""
    interns, engineering, staff = (groups.create(name=n, by=CAROL) for n in ("interns", "engineering", "staff"))
    groups.nest(interns, parent=engineering, by=CAROL)
    groups.nest(engineering, parent=staff, by=CAROL)
    with pytest.raises(NestingCycle, match="staff in interns in engineering in staff"):
        groups.nest(staff, parent=interns, by=CAROL)
    with pytest.raises(NestingCycle, match="staff in staff"):
        groups.nest(staff, parent=staff, by=CAROL)
    assert 2 == Nesting.objects.count()


def test_everyone_needs_no_membership_and_holds_no_groups() -> None:
    """The built-in group cannot be joined, filled, renamed or removed."""
    users = Group.objects.get(everyone=True)
    alice = people.create(email="alice@example.com", by=CAROL)
    for refused in (
        lambda: memberships.give(person=alice, group=users, by=CAROL),
        lambda: groups.nest(groups.create(name="sales", by=CAROL), parent=users, by=CAROL),
        lambda: groups.edit(users, name="all", by=CAROL),
        lambda: groups.remove(users, by=CAROL),
    ):
        with pytest.raises(Conflict):
            refused()


def test_a_membership_is_owned_by_its_source() -> None:
    """What the directory gave and takes away again leaves what Carol gave by hand."""
    alice = people.create(email="alice@example.com", by=CAROL)
    sales = groups.create(name="sales", by=CAROL)
    memberships.give(person=alice, group=sales, until=timezone.now() + timedelta(days=1), by=CAROL)
    from_directory = memberships.give(person=alice, group=sales, source="ldap:hq", by=Actor.system("directory"))
    assert alice.pk in build().direct
    memberships.remove(from_directory, by=Actor.system("directory"))
    world = build()
    assert alice.pk not in world.direct
    assert alice.pk in world.timed
    assert 1 == Membership.objects.count()


def test_removing_a_group_removes_what_hangs_on_it_and_says_so() -> None:
    """Memberships, nestings and grants go one by one, each with its entry, in one change."""
    alice = people.create(email="alice@example.com", by=CAROL)
    sales, staff = (groups.create(name=name, by=CAROL) for name in ("sales", "staff"))
    memberships.give(person=alice, group=sales, by=CAROL)
    groups.nest(sales, parent=staff, by=CAROL)
    grants.give(server=servers.create(name="payroll", by=CAROL), group=sales, by=CAROL)
    groups.remove(sales, by=CAROL)
    assert ["grant.removed", "membership.removed", "group.unnested", "group.removed"] == kinds()[-4:]
    assert build() == build()
    assert {} == dict(build().grants)


BAD_GRANTS = {
    "nobody": {},
    "both a group and a person": {"group": True, "person": True},
    "no tools of a limited grant": {"group": True, "tools": []},
    "a network that is none": {"group": True, "networks": ["10.0.0.1/8"]},
    "a tool without a name": {"group": True, "tools": [" "]},
}


@pytest.mark.parametrize("wrong", BAD_GRANTS.values(), ids=BAD_GRANTS)
def test_a_grant_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    """And nothing is written."""
    holders = {"group": groups.create(name="sales", by=CAROL), "person": people.create(email="a@b.example", by=CAROL)}
    server = servers.create(name="jira", by=CAROL)
    asked = {name: holders.get(name, value) for name, value in wrong.items()}
    before = revision()
    with pytest.raises((Conflict, InvalidName)):
        grants.give(server=server, by=CAROL, **asked)  # type: ignore[arg-type]  # rows of the table above
    assert before == revision()


def test_a_web_application_has_no_tools_to_limit_a_grant_to() -> None:
    """Tools are a matter of MCP servers."""
    chat, sales = servers.create(name="chat", kind="web", by=CAROL), groups.create(name="sales", by=CAROL)
    with pytest.raises(Conflict, match="cannot be limited to tools"):
        grants.give(server=chat, group=sales, tools=["x"], by=CAROL)
    with pytest.raises(Conflict, match="has no tools"):
        servers.add_tool(chat, name="x", by=CAROL)


def test_a_route_leads_to_one_server() -> None:
    """However its host and prefix are spelled."""
    search, jira = servers.create(name="search", by=CAROL), servers.create(name="jira", by=CAROL)
    servers.add_route(search, host="MCP.Example.com.", prefix="/search/", by=CAROL)
    with pytest.raises(Conflict, match="leads to search already"):
        servers.add_route(jira, host="mcp.example.com", prefix="/search", by=CAROL)


def test_a_key_is_shown_once_and_kept_as_a_hash() -> None:
    """No column holds its secret."""
    alice = people.create(email="alice@example.com", by=CAROL)
    issued = api_keys.issue(person=alice, name="report", scopes=["use"], by=CAROL)
    secret = issued.text.split("_")[2]
    assert all(secret not in str(value) for value in ApiKey.objects.values_list().get())
    assert all(secret not in text for text in Entry.objects.values_list("detail", flat=True))
    assert all(secret not in text for text in Change.objects.values_list("facts", flat=True))


def test_rotation_overlaps_and_happens_once() -> None:
    """The old key ends after the overlap, or at its own end if that comes first; it cannot be rotated again."""
    alice = people.create(email="alice@example.com", by=CAROL)
    old = api_keys.issue(person=alice, name="report", scopes=["use"], by=CAROL)
    new = api_keys.rotate(old.row, overlap=timedelta(hours=1), by=CAROL)
    held = ApiKey.objects.get(pk=old.row.pk)
    assert held.until is not None
    assert timedelta(minutes=59) < held.until - timezone.now() <= timedelta(hours=1)
    assert (None, ["use"], "report") == (new.row.until, new.row.scopes, new.row.name)
    with pytest.raises(Conflict):
        api_keys.rotate(old.row, overlap=timedelta(hours=1), by=CAROL)


@pytest.mark.parametrize("scopes", [[], ["everything"], ["use:"], [""]])
def test_a_key_without_a_known_scope_is_refused(scopes: list[str]) -> None:
    """The narrowest default is none at all."""
    alice = people.create(email="alice@example.com", by=CAROL)
    with pytest.raises((Conflict, InvalidName)):
        api_keys.issue(person=alice, name="report", scopes=scopes, by=CAROL)


GOOD_ISSUER = {
    "name": "idp", "issuer": "https://idp.example.com", "audiences": ["gatehouse"],
    "jwks_url": "https://idp.example.com/jwks",
}  # fmt: skip
BAD_ISSUERS = {
    "no audience": {"audiences": []},
    "no keys at all": {"jwks_url": ""},
    "keys and their address": {"jwks": '{"keys": [{"kty": "OKP"}]}'},
    "keys in the clear": {"jwks_url": "http://idp.example.com/jwks"},
    "a shared secret": {"algorithms": ["HS256"]},
    "no signature": {"algorithms": ["none"]},
    "no algorithm": {"algorithms": []},
    "a pasted secret key": {"jwks_url": "", "jwks": '{"keys": [{"kty": "RSA", "n": "", "e": "", "d": "x"}]}'},
    "a pasted symmetric key": {"jwks_url": "", "jwks": '{"keys": [{"kty": "oct", "k": "x"}]}'},
    "not JSON": {"jwks_url": "", "jwks": "keys"},
}


@pytest.mark.parametrize("wrong", BAD_ISSUERS.values(), ids=BAD_ISSUERS)
def test_an_issuer_that_could_not_be_trusted_is_refused(wrong: dict[str, object]) -> None:
    """While the good one it is made from is accepted."""
    with pytest.raises((Conflict, InvalidName)):
        issuers.trust(by=CAROL, **(GOOD_ISSUER | wrong))
    assert "https://idp.example.com" == issuers.trust(by=CAROL, **GOOD_ISSUER).issuer


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"secret": "short"},
        {"networks": ["0.0.0.0/0"]},
        {"networks": ["::/0"]},
        {"networks": ["here"]},
        {"networks": ["0.0.0.0/1", "128.0.0.0/1"]},
        {"networks": ["10.0.0.0/7"]},
        {"networks": ["10.0.0.0/8", "2001::/15"]},
    ],
    ids=str,
)
def test_a_proxy_without_a_real_guard_is_refused(wrong: dict[str, object]) -> None:
    """Nobody trusts the whole world by accident."""
    with pytest.raises((Conflict, InvalidName)):
        proxies.trust(name="nginx", by=CAROL, **wrong)  # type: ignore[arg-type]  # rows of the table above
    assert 0 == Proxy.objects.count()


@pytest.mark.parametrize("gone", ["person", "group"])
def test_who_answered_for_a_group_is_told_of_when_either_goes(gone: str) -> None:
    """As if the ownership had been taken back by hand."""
    alice, crew = people.create(email="alice@example.com", by=CAROL), groups.create(name="crew", by=CAROL)
    groups.add_owner(crew, person=alice, by=CAROL)
    if gone == "person":
        people.remove(alice, by=CAROL)
    else:
        groups.remove(crew, by=CAROL)
    entry = Entry.objects.get(kind="owner.removed")
    assert ("crew", "alice@example.com") == (entry.subject, entry.target)


def test_a_service_account_has_no_password_and_no_session() -> None:
    """It shows API keys."""
    robot = people.create(email="robot@example.com", is_human=False, by=CAROL)
    with pytest.raises(Conflict):
        people.set_password(robot, PASSWORD, by=CAROL)
    with pytest.raises(Conflict):
        sessions.begin(
            person=robot, device="", address="", lifetime=timedelta(1), idle=timedelta(1), by=Actor.system("test")
        )


def test_a_moment_in_the_book_is_in_utc() -> None:
    """Whatever zone it was given in."""
    alice, sales = people.create(email="alice@example.com", by=CAROL), groups.create(name="sales", by=CAROL)
    until = datetime(2030, 1, 1, 12, tzinfo=UTC).astimezone(timezone.get_fixed_timezone(120))
    memberships.give(person=alice, group=sales, until=until, by=CAROL)
    assert "2030-01-01T12:00:00+00:00" in Entry.objects.get(kind="membership.given").detail


def test_sessions_that_ended_by_themselves_are_written_down() -> None:
    """With the reason, once; a session that is in use, or was until a moment ago, stays open."""
    alice = people.create(email="alice@example.com", by=CAROL)
    hour, now = timedelta(hours=1), timezone.now()
    rows = {}
    for name, until, seen in (
        ("in use", now + hour, now),
        ("over", now - timedelta(seconds=1), now - timedelta(minutes=5)),
        ("idle", now + hour, now - timedelta(hours=2)),
        ("idle for a moment", now + hour, now - hour - timedelta(seconds=30)),
    ):
        begun = sessions.begin(person=alice, device=name, address="", lifetime=hour, idle=hour, by=CAROL)
        Session.objects.filter(pk=begun.row.pk).update(until=until, seen_at=seen)
        rows[name] = begun.row.pk
    by = Actor.system("session keeper")
    assert [2, 0] == [sessions.end_expired(by=by), sessions.end_expired(by=by)]
    ended = {session.device: session.ended_because for session in Session.objects.exclude(ended_at=None)}
    assert {"over": "reached its limit", "idle": "idle for too long"} == ended


def test_the_change_log_is_trimmed(settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what nobody needs goes, and the book keeps all of it."""
    settings.AUTHZ_CHANGE_LOG_KEPT = 3  # type: ignore[attr-defined]  # a fixture of pytest-django
    monkeypatch.setattr("authz.changes.change.TRIM_EVERY", 5)
    for n in range(10):
        groups.create(name=f"group {n}", by=CAROL)
    assert [8, 9, 10] == list(Change.objects.order_by("revision").values_list("revision", flat=True))
    assert 10 == Entry.objects.count()


def test_every_field_of_an_issuer_can_be_changed() -> None:
    """Also the one that has the name of the thing itself; the old iss is no longer believed."""
    issuer = issuers.trust(by=CAROL, **GOOD_ISSUER)
    issuers.edit(issuer, by=CAROL, issuer="https://other.example.com", claim="mail", enabled=True)
    assert ["https://other.example.com"] == list(build().issuers)


def test_the_book_tells_what_a_grant_says_after_a_change() -> None:
    """And what it said before, beside it."""
    jira, sales = servers.create(name="jira", by=CAROL), groups.create(name="sales", by=CAROL)
    grant = grants.give(server=jira, group=sales, tools=["a"], by=CAROL)
    grants.edit(grant, tools=["b"], by=CAROL)
    told = json.loads(Entry.objects.get(kind="grant.changed").detail)
    assert (["b"], [["a"], ["b"]]) == (told["tools"], told["changes"]["tools"])


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [("", "x" * 20, ["none", "one"]), ("x" * 20, "y" * 20, ["one", "another"]), ("x" * 20, "", ["one", "none"])],
)
def test_the_book_tells_what_became_of_a_secret(first: str, second: str, told: list[str]) -> None:
    """Without the secret, and without its hash."""
    proxy = proxies.trust(name="nginx", secret=first, networks=["10.0.0.0/8"], by=CAROL)
    proxies.edit(proxy, new_secret=second, by=CAROL)
    assert told == json.loads(Entry.objects.get(kind="proxy.changed").detail)["changes"]["secret"]


def test_another_history_has_another_name() -> None:
    """And the book says so."""
    before = Revision.objects.get().epoch
    epoch = begin_another_history(by=CAROL)
    assert before != epoch == Revision.objects.get().epoch
    assert "history.begun" == Entry.objects.get().kind
