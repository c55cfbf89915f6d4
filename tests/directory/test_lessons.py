"""Ways in which a directory could let somebody in, or lock people out, that were tried and are closed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.models import Entry
from authz.changes import grants, groups, memberships, people, runs, servers, sources
from authz.directory.apply import apply
from authz.directory.brake import Held, refuse_nothing
from authz.directory.held import everything
from authz.directory.observed import Observed
from authz.directory.plan import Plan, plan
from authz.directory.run import work
from authz.directory.taken import take
from authz.errors import Conflict, DirectoryFailed, ImplausiblePlan
from authz.formats.sources import KINDS
from authz.formats.sources import read as settings_of
from authz.lookups.attention import wanted
from authz.models import ForeignGroup, Group, Membership, Nesting, Run, Session, Source, User
from tests.directory import cast
from tests.directory.cast import BY, group, person, read, somebody, source

pytestmark = pytest.mark.django_db(transaction=True)

LOOSE: dict[str, Any] = {"most_number": 10_000, "most_share": 100.0, "most_changed_share": 100.0, "free_number": 10_000}
MANY = [f"p{number}" for number in range(20)]


def told(whom: Source, *what: Any, **more: Any) -> Any:
    return take(whom, read(*what, complete=False, **more), by=BY)


def planned(whom: Source, seen: Observed) -> Plan:
    how = settings_of(KINDS[whom.kind], whom.settings)
    return plan(seen, everything(whom, seen, how), how)


# Whom an administrator suspended, no directory restores.


def adopted_while_suspended(corp: Source) -> None:
    people.suspend(people.create(email="alice@example.com", by=BY), by=BY)
    told(corp, person("alice", active=False))


def suspended_anew_by_hand(corp: Source) -> None:
    told(corp, person("alice"))
    told(corp, person("alice", active=False))
    people.restore(somebody("alice"), by=BY)
    people.suspend(somebody("alice"), by=BY, reason="fraud")


def suspended_by_hand_as_well(corp: Source) -> None:
    told(corp, person("alice"))
    told(corp, person("alice", active=False))
    people.suspend(somebody("alice"), by=BY, reason="fraud")
    assert "fraud" in Entry.objects.filter(kind="person.suspended").order_by("-number")[0].detail


def suspended_between_plan_and_apply(corp: Source) -> None:
    told(corp, person("alice"))
    made = planned(corp, read(person("alice", active=False), complete=False))
    people.suspend(somebody("alice"), by=BY)
    apply(corp, made, by=BY)


@pytest.mark.parametrize(
    "before",
    [
        adopted_while_suspended,
        suspended_anew_by_hand,
        suspended_by_hand_as_well,
        suspended_between_plan_and_apply,
    ],
)
def test_whom_an_administrator_suspended_no_directory_restores(before: Callable[[Source], None]) -> None:
    corp = source(joins="adopt")
    before(corp)
    told(corp, person("alice"))
    assert not somebody("alice").is_active


def test_an_old_plan_restores_nobody() -> None:
    corp = source()
    told(corp, person("alice"))
    told(corp, person("alice", active=False))
    made = planned(corp, read(person("alice"), complete=False))
    people.restore(somebody("alice"), by=BY)
    people.suspend(somebody("alice"), by=BY)
    apply(corp, made, by=BY)
    assert not somebody("alice").is_active


# The brake counts what comes one by one.


def one_by_one(okta: Source, kind: str) -> int:
    """Let a client take things away one after the other; return how many went before it was held."""
    steps: dict[str, Callable[[str], Any]] = {
        "memberships": lambda name: told(okta, left=frozenset({("all", name)})),
        "groups": lambda name: told(okta, gone_groups=frozenset({f"g-{name}"})),
        "names": lambda name: told(okta, person(name, email=f"x{name}@example.com")),
        "suspensions": lambda name: told(okta, person(name, active=False)),
        "group names": lambda name: told(okta, group(f"h-{name}", key=f"g-{name}")),
    }
    for done, name in enumerate(MANY):
        try:
            steps[kind](name)
        except ImplausiblePlan:
            return done
    return len(MANY)


@pytest.mark.parametrize("kind", ["memberships", "groups", "names", "suspensions", "group names"])
def test_what_a_client_takes_away_one_by_one_is_one_plan(kind: str) -> None:
    okta = source("scim", "okta", free_number=3, most_share=0, most_changed_share=0)
    each = [group(f"g-{name}") for name in MANY]
    told(okta, *(person(name) for name in MANY), group("all", *MANY), *each)
    assert 3 == one_by_one(okta, kind)


def test_an_approval_is_for_what_was_seen_and_counts_for_nothing_else() -> None:
    okta = source("scim", "okta", free_number=2, most_share=0)
    told(okta, *(person(name) for name in MANY))
    assert 2 == one_by_one(okta, "suspensions")
    runs.approve(Run.objects.get(state=Run.WAITING), by=BY)
    told(okta, person(MANY[2], active=False))
    with pytest.raises(ImplausiblePlan):
        told(okta, person(MANY[3], active=False))


def test_what_came_after_the_look_is_not_approved_with_it() -> None:
    okta = source("scim", "okta", free_number=0, most_share=0, most_number=0)
    told(okta, person("alice"), person("bob"))
    with pytest.raises(ImplausiblePlan):
        told(okta, person("alice", active=False))
    seen = runs.seal(Run.objects.get())
    with pytest.raises(ImplausiblePlan):
        told(okta, person("bob", active=False))
    run = Run.objects.get()
    assert [f"{name}@example.com: the directory says that they are disabled" for name in ("alice", "bob")] == (
        run.preview["people"]["lost"]
    )
    with pytest.raises(Conflict, match="more has come since you looked"):
        runs.approve(run, by=BY, seen=seen)
    runs.approve(run, by=BY, seen=runs.seal(run))


def test_losing_a_nesting_is_weighed_by_whoever_is_below() -> None:
    okta = source("scim", "okta", free_number=3)
    departments = [group(f"d{number}", MANY[number]) for number in range(10)]
    told(
        okta, *(person(name) for name in MANY), *departments, group("staff", children=tuple(f"d{n}" for n in range(10)))
    )
    for what in ({"told": [group("staff", children=())]}, {"gone_groups": frozenset({"staff"})}):
        with pytest.raises(ImplausiblePlan, match="10 of 10 memberships would be removed"):
            told(okta, *what.pop("told", ()), **what)


# What an administrator changes counts at once, and for everybody.


def test_a_rule_that_is_added_or_taken_away_counts_without_another_push() -> None:
    okta = source("scim", "okta")
    ours = groups.create(name="mcp_advanced", by=BY)
    told(okta, person("alice", attributes={"title": ("Boss",)}))
    rule = sources.add_rule(okta, group=ours, kind="attribute", attribute="title", pattern="boss", by=BY)
    work()
    assert {("alice", "mcp_advanced", "scim:okta")} == cast.memberships()
    sources.remove_rule(rule, by=BY)
    work()
    assert set() == cast.memberships()


def test_a_rule_gives_nothing_to_somebody_gone_or_disabled_whom_another_owns() -> None:
    people.create(email="alice@example.com", by=BY)
    people.create(email="bob@example.com", by=BY)
    okta = source("scim", "okta", joins="link")
    ours = groups.create(name="mcp_advanced", by=BY)
    boss = {"title": ("Boss",)}
    told(okta, person("alice", attributes=boss), person("bob", attributes=boss), group("eng", "alice", "bob"))
    told(okta, person("alice", attributes=boss, active=False), gone_people=frozenset({"bob"}))
    sources.add_rule(okta, group=ours, kind="attribute", attribute="title", pattern="boss", by=BY)
    work()
    assert set() == cast.memberships()
    assert somebody("alice").is_active


def test_groups_that_are_mirrored_no_longer_leave_nothing_behind() -> None:
    okta = source("scim", "okta", **LOOSE)
    told(okta, person("alice"), group("interns", "alice"), group("engineering", children=("interns",)))
    bob = people.create(email="bob@example.com", by=BY)
    memberships.give(person=bob, group=Group.objects.get(name="interns"), by=BY)
    sources.edit(okta, settings={**okta.settings, "mirrors_groups": False}, by=BY)
    work()
    assert ({("bob", "interns", "local")}, 0) == (cast.memberships(), Nesting.objects.count())
    assert {"local"} == set(Group.objects.values_list("source", flat=True))
    sources.edit(okta, settings=LOOSE, by=BY)
    work()
    assert Run.objects.first().problems[0][0] == "interns"  # type: ignore[union-attr]  # there is one


def test_a_rule_fits_no_group_whose_name_another_has_as_well() -> None:
    corp = source(mirrors_groups=False)
    admins = groups.create(name="ours", by=BY)
    sources.add_rule(corp, group=admins, kind="group", pattern="Domain Admins", by=BY)
    taken = told(
        corp, person("carol"), person("mallory"), group("Domain Admins", "carol", key="1"),
        group("domain admins", "mallory", key="2"),
    )  # fmt: skip
    assert set() == cast.memberships()
    assert "several groups of the directory have this name" in taken.problems[-1].why


@pytest.mark.parametrize("changed", [{"issuer": "https://evil.example.com"}, {"client_id": "another"}])
def test_an_issuer_with_people_is_never_another(changed: dict[str, str]) -> None:
    okta = source("oidc", "okta")
    sources.edit(okta, settings=cast.OIDC | {"client_id": "before anybody came"}, by=BY)
    sources.edit(okta, settings=cast.OIDC, by=BY)
    told(okta, person("alice"))
    with pytest.raises(Conflict, match="add another directory instead"):
        sources.edit(okta, settings=cast.OIDC | changed, by=BY)


# Runs


def running(whom: Source, mode: str = Run.FULL) -> Run:
    runs.ask(whom, by=BY, mode=mode)
    run = runs.claim(worker="w")
    assert run is not None
    return run


def test_switching_off_stops_a_run_that_is_under_way() -> None:
    corp = source()
    run = running(corp)
    sources.edit(corp, enabled=False, by=BY)
    assert not runs.keep(run, worker="w", stage="people", done=1, steps=2)


def test_switching_off_ends_the_sign_ins_that_ldap_proved_and_no_others() -> None:
    corp = source(joins="link")
    people.create(email="bob@example.com", password="correct horse battery", by=BY)
    told(corp, person("alice"), person("bob"))
    now = timezone.now()
    for name in ("alice", "bob"):
        Session.objects.create(
            person=somebody(name), digest=name, started_at=now, until=now + timedelta(hours=1), idle=1, seen_at=now
        )
    sources.edit(corp, enabled=False, by=BY)
    assert ["bob"] == list(Session.objects.filter(ended_at=None).values_list("digest", flat=True))


def test_a_worker_that_lost_its_run_ends_nothing() -> None:
    run = running(source())
    Run.objects.update(worker="another")
    runs.fail(run, worker="w", why="x", by=BY)
    runs.end(run, worker="w", counts={}, problems=[], cursor="", by=BY)
    runs.hold(run, worker="w", reasons=["x"], grave=frozenset({"x"}), by=BY)
    assert [("running", "another")] == list(Run.objects.values_list("state", "worker"))


def test_settings_that_changed_during_a_run_are_not_overtaken_by_it() -> None:
    corp = source()
    run = running(corp)
    sources.edit(corp, settings=cast.LDAP | {"people_filter": "(title=x)"}, by=BY)
    runs.end(run, worker="w", counts={}, problems=[], cursor="time/20260101000000Z", by=BY)
    corp.refresh_from_db()
    assert ("", None) == (corp.cursor, corp.full_at)


def test_what_waits_holds_up_nothing_and_is_waited_for_once() -> None:
    corp = source()
    for _ in range(2):
        run = running(corp)
        runs.hold(run, worker="w", reasons=["x"], grave=frozenset({"suspend a"}), by=BY)
    assert ["dismissed", "waiting"] == list(Run.objects.values_list("state", flat=True))
    run = running(corp)
    runs.hold(run, worker="w", reasons=["y"], grave=frozenset({"suspend b"}), by=BY)
    assert ["waiting", "dismissed", "dismissed"] == list(Run.objects.values_list("state", flat=True))
    Source.objects.update(due_at=timezone.now())
    assert [corp] == runs.due(now=timezone.now())


def test_a_directory_cannot_be_forgotten_while_it_gives_anything() -> None:
    okta = source("scim", "okta")
    told(okta, person("alice"), group("eng", "alice"))
    with pytest.raises(Conflict, match="still gives something"):
        sources.forget(okta, by=BY)
    assert Source.objects.exists()


def test_what_is_overdue_needs_attention() -> None:
    corp = source()
    Source.objects.update(due_at=timezone.now() - timedelta(hours=1))
    assert [("ldap:corp", "overdue")] == [(each.directory, each.state) for each in wanted()]
    runs.ask(corp, by=BY)
    Run.objects.update(queued_at=timezone.now() - timedelta(hours=1))
    assert [("ldap:corp", "overdue")] == [(each.directory, each.state) for each in wanted()]


# Reads that are no answer


@pytest.mark.parametrize(
    ("held", "reads_groups", "fails"),
    [
        (Held(people=0, known=3, memberships=0, groups=0), True, True),
        (Held(people=0, known=0, memberships=0, groups=3), True, True),
        (Held(people=0, known=0, memberships=0, groups=3), False, False),
        (Held(people=0, known=0, memberships=0, groups=0), True, False),
    ],
)
def test_seeing_nobody_where_somebody_was_is_a_failure(held: Held, reads_groups: bool, fails: bool) -> None:
    if fails:
        with pytest.raises(DirectoryFailed, match="nothing was changed"):
            refuse_nothing(read(), held, reads_groups=reads_groups)
    else:
        refuse_nothing(read(), held, reads_groups=reads_groups)


def test_of_whom_nothing_is_clear_nothing_follows() -> None:
    corp = source(**LOOSE)
    told(corp, person("alice"), group("eng", "alice"))
    seen = Observed(groups=read(group("eng", "alice")).groups, complete=True, unclear=frozenset({"alice"}))
    apply(corp, planned(corp, seen), by=BY)
    assert ({("alice", "eng", "ldap:corp")}, True) == (cast.memberships(), somebody("alice").is_active)


def test_a_group_that_was_gone_for_one_read_is_the_same_when_it_is_back() -> None:
    corp = source(**LOOSE)
    told(corp, person("alice"), group("eng", "alice"))
    ours = Group.objects.get(name="eng")
    grants.give(group=ours, server=servers.create(name="search", by=BY), by=BY)
    for seen, by in ((read(person("alice")), "local"), (read(person("alice"), group("eng", "alice")), "ldap:corp")):
        apply(corp, planned(corp, seen), by=BY)
        assert by == Group.objects.get(pk=ours.pk).source
    assert {("alice", "eng", "ldap:corp")} == cast.memberships()
    assert [None] == list(ForeignGroup.objects.values_list("gone_at", flat=True))


# What changes is in the book.


def test_another_reason_for_a_membership_is_in_the_book() -> None:
    corp = source(mirrors_groups=False)
    ours = groups.create(name="staff", by=BY)
    first = sources.add_rule(corp, group=ours, kind="attribute", attribute="a", pattern="x", by=BY)
    told(corp, person("alice", attributes={"a": ("x",)}))
    sources.add_rule(corp, group=ours, kind="attribute", attribute="a", pattern="*", by=BY)
    sources.remove_rule(first, by=BY)
    told(corp, person("alice", attributes={"a": ("x",)}))
    assert 1 == Entry.objects.filter(kind="membership.changed").count()
    assert "whose a is *" in Membership.objects.get().reason


def test_a_group_takes_its_rules_along_and_says_so() -> None:
    corp = source()
    ours = groups.create(name="staff", by=BY)
    sources.add_rule(corp, group=ours, kind="attribute", attribute="a", pattern="x", by=BY)
    groups.remove(ours, by=BY)
    assert 1 == Entry.objects.filter(kind="rule.removed").count()


def test_a_preview_names_the_groups_of_rules() -> None:
    okta = source("scim", "okta", most_share=0, free_number=0)
    ours = groups.create(name="staff", by=BY)
    sources.add_rule(okta, group=ours, kind="attribute", attribute="a", pattern="x", by=BY)
    told(okta, person("alice", attributes={"a": ("x",)}))
    with pytest.raises(ImplausiblePlan):
        told(okta, person("alice"))
    assert ["alice@example.com: staff"] == Run.objects.get(mode=Run.PUSH).preview["memberships"]["removed"]


def test_nobody_of_a_directory_is_called_as_a_service_account_of_ours() -> None:
    taken = told(source(), person("x", email="scim-zeta@services.internal"))
    assert ({}, 0) == (taken.people, User.objects.count())


def test_settings_that_cannot_be_read_hold_up_no_other_directory() -> None:
    broken, other = source(name="aaa"), source(name="zzz", patience=1.0, urls=["ldap://127.0.0.1:1"], tls="none")
    Source.objects.filter(pk=broken.pk).update(settings={"urls": "none"})
    assert 2 == work()
    for each in (broken, other):
        each.refresh_from_db()
    assert "urls" in broken.failure
    assert "cannot be reached" in other.failure
    assert None not in {broken.due_at, other.due_at}
