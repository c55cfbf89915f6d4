"""How the World of a process follows the tables."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from audit.context import Actor
from authz.changes import api_keys, grants, groups, issuers, memberships, people, proxies, servers, sessions
from authz.changes.change import change
from authz.decisions.facts import GroupIs
from authz.errors import Behind, Conflict, Unavailable
from authz.lookups.build import build
from authz.lookups.current import CURRENT, Current, keep_current
from authz.models import Change, Group, Revision, User
from tests.patience import HANG, until

CAROL = Actor.person("carol@example.com")


def do_everything() -> None:
    """Use every verb that changes a fact."""
    alice, bob = (people.create(email=f"{name}@example.com", by=CAROL) for name in ("alice", "bob"))
    interns, engineering = (groups.create(name=name, by=CAROL) for name in ("interns", "engineering"))
    nesting = groups.nest(interns, parent=engineering, by=CAROL)
    membership = memberships.give(person=alice, group=interns, by=CAROL)
    memberships.give(person=bob, group=engineering, by=CAROL)
    search = servers.create(name="search", by=CAROL)
    route = servers.add_route(search, host="mcp.example.com", prefix="/search", by=CAROL)
    tool = servers.add_tool(search, name="find", by=CAROL)
    grant = grants.give(server=search, group=engineering, tools=["find"], by=CAROL)
    personal = grants.give(server=search, person=bob, networks=["10.0.0.0/8"], by=CAROL)
    key = api_keys.issue(person=alice, name="k", scopes=["use"], by=CAROL)
    api_keys.rotate(key.row, overlap=timedelta(hours=1), by=CAROL)
    day = timedelta(days=1)
    session = sessions.begin(person=bob, device="", address="", lifetime=day, idle=day, by=CAROL)
    issuer = issuers.trust(
        name="idp", issuer="https://idp.example", audiences=["x"], jwks_url="https://idp.example/k", by=CAROL
    )
    proxy = proxies.trust(name="nginx", networks=["10.0.0.0/24"], by=CAROL)
    memberships.edit(membership, until=None, reason="because", by=CAROL)
    servers.edit_tool(tool, enabled=False, by=CAROL)
    servers.edit(search, name="finder", enabled=False, by=CAROL)
    grants.edit(grant, tools=None, by=CAROL)
    people.edit(alice, email="alice2@example.com", name="Alice", by=CAROL)
    groups.edit(engineering, name="Engineering!", by=CAROL)
    issuers.edit(issuer, enabled=False, by=CAROL)
    proxies.edit(proxy, enabled=False, by=CAROL)
    servers.remove_route(route, by=CAROL)
    servers.remove_tool(tool, by=CAROL)
    sessions.end(session.row, by=CAROL, because="test")
    api_keys.revoke(key.row, by=CAROL)
    grants.remove(personal, by=CAROL)
    groups.unnest(nesting, by=CAROL)
    people.suspend(bob, by=CAROL)
    memberships.remove(membership, by=CAROL)
    groups.remove(interns, by=CAROL)
    servers.remove(search, by=CAROL)
    people.remove(alice, by=CAROL)
    issuers.remove(issuer, by=CAROL)
    proxies.remove(proxy, by=CAROL)


@pytest.mark.django_db(transaction=True)
def test_changes_applied_one_by_one_equal_a_rebuild_after_each_verb() -> None:
    """Whatever a verb writes to the tables, its facts say the same."""
    follower = Current()
    follower.look()
    seen = []

    def compare(**_: object) -> None:
        seen.append(follower.look().revision)
        assert build() == follower.look()

    from authz.signals import changed  # noqa: PLC0415  only here

    failures: list[Exception] = []

    def watch(**given: object) -> None:
        try:
            compare(**given)
        except AssertionError as error:
            failures.append(error)

    changed.connect(watch, weak=False, dispatch_uid="test")
    try:
        do_everything()
    finally:
        changed.disconnect(dispatch_uid="test")
    assert [] == failures
    assert list(range(1, Revision.objects.get().n + 1)) == seen


@pytest.mark.django_db(transaction=True)
def test_a_gap_in_the_log_means_a_rebuild() -> None:
    """A process that fell behind what the log still holds reads everything again."""
    follower = Current()
    follower.look()
    for name in ("a", "b", "c"):
        groups.create(name=name, by=CAROL)
    Change.objects.filter(revision=2).delete()
    assert build() == follower.look()
    assert 3 == follower.look().revision


@pytest.mark.django_db(transaction=True)
def test_another_history_is_read_anew_and_its_revisions_are_not_compared() -> None:
    """After a restore from a backup, a revision from before it is refused."""
    follower = Current()
    groups.create(name="a", by=CAROL)
    before = follower.look()
    Revision.objects.update(epoch="00000000")
    assert "00000000" == follower.look().epoch
    with pytest.raises(Behind):
        follower.at_least(before.revision, before.epoch)


@pytest.mark.django_db(transaction=True)
def test_a_revision_that_is_demanded_is_looked_for_once() -> None:
    """And Behind if it does not exist yet; never an older answer."""
    follower = Current()
    world = follower.look()
    groups.create(name="a", by=CAROL)
    assert 1 == follower.at_least(1, world.epoch).revision
    with pytest.raises(Behind):
        follower.at_least(2, world.epoch)


@pytest.mark.django_db(transaction=True)
def test_what_an_open_transaction_sees_is_never_kept() -> None:
    """It may be rolled back, and a World that holds it would be wrong for ever."""
    follower = Current()
    follower.look()
    with pytest.raises(Conflict), change(CAROL):  # noqa: PT012  a failure after a write is what is meant
        groups.create(name="ghosts", by=CAROL)
        raise Conflict
    assert "ghosts" not in follower.look().by_group_name
    assert not Group.objects.filter(name="ghosts").exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit", [60, 600])
def test_a_world_that_has_grown_too_old_answers_nothing(limit: int, settings: Any) -> None:
    """Staleness is counted from the last time the tables said that nothing newer exists."""
    settings.AUTHZ_STALENESS_LIMIT = limit
    follower = Current()
    follower.look()
    follower.kept = True
    assert follower.world == follower.now()
    follower.looked_at -= limit - 30
    assert follower.world == follower.now()
    follower.looked_at -= 31
    with pytest.raises(Unavailable):
        follower.now()


@pytest.mark.django_db(transaction=True)
def test_a_kept_world_follows_changes_of_other_connections() -> None:
    """The thread sees a commit by looking, and stops when told."""
    stop = threading.Event()
    thread = keep_current(stop)
    try:
        groups.create(name="a", by=CAROL)
        until(lambda: CURRENT.world is not None and "a" in CURRENT.world.by_group_name)
    finally:
        stop.set()
        thread.join(HANG)
        CURRENT.kept = False
        CURRENT.forget()
    assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_writers_in_parallel_commit_in_the_order_of_their_revisions() -> None:
    """Six threads, no revision twice, none left out, and the log in the order in which it became visible."""
    each = 8
    errors: list[Exception] = []

    def write(name: str) -> None:
        try:
            for n in range(each):
                people.create(email=f"{name}{n}@example.com", by=CAROL)
        except Exception as error:  # noqa: BLE001  shown by the assertion below
            errors.append(error)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(name,)) for name in "abcdef"]
    visible: list[int] = []
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        newest = list(Change.objects.order_by("revision").values_list("revision", flat=True))
        assert newest == list(range(1, len(newest) + 1)), "a later revision was visible before an earlier one"
        visible.append(len(newest))
    for writer in writers:
        writer.join(HANG)
        assert not writer.is_alive()
    assert [] == errors
    assert each * 6 == User.objects.count() == Revision.objects.get().n
    assert build() == Current().look()


@pytest.mark.django_db
def test_building_takes_a_fixed_number_of_queries(django_assert_max_num_queries: object) -> None:
    """However many rows there are."""
    do_everything()
    with django_assert_max_num_queries(16):  # type: ignore[operator]  # a fixture of pytest-django
        build()


@pytest.mark.django_db(transaction=True)
def test_a_restored_backup_is_noticed_although_the_numbers_go_on() -> None:
    """Alice was suspended in the history that followed the backup; a World of the lost one must not survive."""
    follower = Current()
    alice = people.create(email="alice@example.com", by=CAROL)
    groups.create(name="lost", by=CAROL)
    assert 2 == follower.look().revision
    Group.objects.filter(name="lost").delete()
    Change.objects.filter(revision=2).delete()
    Revision.objects.update(n=1, mark=Change.objects.get(revision=1).mark)
    people.suspend(alice, by=CAROL)
    world = follower.look()
    assert 2 == world.revision
    assert (False, build()) == (world.people[alice.pk].active, world)
    groups.create(name="found", by=CAROL)
    assert build() == follower.look()


def test_whoever_listens_is_told_each_new_world_with_what_changed(transactional_db):
    """And where only a look at everything tells what changed, that is said, too."""
    here = Current()
    heard = []
    here.heard.append(lambda before, after, facts: heard.append((before.revision, after.revision, facts)))
    first = here.look()
    assert [] == heard
    group = groups.create(name="sales", by=CAROL)
    after = here.look()
    ((before_number, after_number, facts),) = heard
    assert (first.revision, after.revision) == (before_number, after_number)
    assert (GroupIs(group.pk, "sales", everyone=False),) == facts
    here.look()
    assert 1 == len(heard)
    people.create(email="x@example.com", by=CAROL)
    Change.objects.filter(revision__lte=after.revision).delete()
    here.look()
    assert (after.revision, after.revision + 1, None) == heard[-1]


def test_a_listener_that_fails_holds_nothing_up(transactional_db):
    here = Current()

    def fail(*_):
        raise RuntimeError

    heard = []
    here.heard += [fail, lambda *news: heard.append(news)]
    here.look()
    groups.create(name="sales", by=CAROL)
    assert here.look().by_group_name["sales"]
    assert 1 == len(heard)
