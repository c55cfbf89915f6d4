"""Whatever a directory says, in whichever order and pieces, ends in what a naive model of it says."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from authz.changes import groups as ours
from authz.changes import memberships, sources
from authz.directory.apply import apply
from authz.directory.held import everything
from authz.directory.observed import Observed, ObservedGroup, ObservedPerson
from authz.directory.plan import plan
from authz.directory.taken import take
from authz.formats.sources import ScimSettings, read
from authz.lookups.build import advanced, build, changes_from
from authz.lookups.current import CURRENT
from authz.models import Group, Source, User
from tests.directory import cast
from tests.directory.cast import BY
from tests.run.examples import examples

PEOPLE = ("p0", "p1", "p2", "p3")
GROUPS = ("g0", "g1", "g2")
LOOSE = {"most_number": 10_000, "most_share": 100, "most_changed_share": 100, "free_number": 10_000}


class Said(NamedTuple):
    """A directory: who is active in it, who is in which group, and which group is in which."""

    people: dict[str, bool]
    members: dict[str, frozenset[str]]
    nests: frozenset[tuple[str, str]]


@st.composite
def directories(draw: st.DrawFn) -> Said:
    people = draw(st.dictionaries(st.sampled_from(PEOPLE), st.booleans()))
    present = draw(st.sets(st.sampled_from(GROUPS)))
    members = {name: frozenset(draw(st.sets(st.sampled_from(PEOPLE))) & people.keys()) for name in sorted(present)}
    pairs = [(a, b) for a in sorted(present) for b in sorted(present) if a != b]
    nests = frozenset(draw(st.sets(st.sampled_from(pairs)))) if pairs else frozenset()
    return Said(people, members, nests)


def observed(said: Said, *, complete: bool) -> Observed:
    """Return what is read of a directory."""
    return Observed(
        people={
            name: ObservedPerson(name, f"{name}@example.com", name, active=active)
            for name, active in said.people.items()
        },
        groups={
            name: ObservedGroup(
                name, name, members=inside, children=frozenset(c for c, parent in said.nests if parent == name)
            )
            for name, inside in said.members.items()
        },
        complete=complete,
    )


def brought_in_step(source: Source, said: Said) -> None:
    """Do what a full run does."""
    seen, how = observed(said, complete=True), read(ScimSettings, source.settings)
    assert () == apply(source, plan(seen, everything(source, seen, how), how), by=BY)


def told(source: Source, before: Said, after: Said) -> None:
    """Tell the difference, as a client that pushes would."""
    seen = observed(after, complete=False)
    gone_people = frozenset(before.people.keys() - after.people.keys())
    gone_groups = frozenset(before.members.keys() - after.members.keys())
    parts: dict[str, Any] = {"gone_people": gone_people, "gone_groups": gone_groups}
    take(source, Observed(seen.people, seen.groups, **parts), by=BY)


def here() -> tuple[set[Any], set[Any], set[Any]]:
    """Return who is active, who is directly in what, and what is nested, as far as the directory is concerned."""
    active = set(User.objects.filter(is_active=True, source="scim:okta").values_list("external_id", flat=True))
    given_by = {(person, group) for person, group, by in cast.memberships() if by == "scim:okta"}
    nested = set(Group.objects.filter(nested__source="scim:okta").values_list("nested__child__name", "name"))
    return active, given_by, nested


def reference(said: Said) -> tuple[set[Any], set[Any], set[Any]]:
    """Return the same by the naive model: what the directory says last is what is."""
    active = {name for name, is_active in said.people.items() if is_active}
    return active, {(person, name) for name, inside in said.members.items() for person in inside}, set(said.nests)


@contextmanager
def undone() -> Iterator[Source]:
    """Give a directory that is gone afterwards, with all that came of it."""
    with transaction.atomic():
        CURRENT.forget()
        yield sources.add(name="okta", kind="scim", settings=LOOSE, by=BY)
        transaction.set_rollback(True)
    CURRENT.forget()


@pytest.mark.django_db
@settings(max_examples=examples(60))
@given(st.lists(directories(), min_size=1, max_size=5))
def test_full_reads_end_in_what_was_read_last(history: list[Said]) -> None:
    with undone() as source:
        for said in history:
            brought_in_step(source, said)
            assert reference(said) == here()
        brought_in_step(source, history[-1])
        assert reference(history[-1]) == here()


@pytest.mark.django_db
@settings(max_examples=examples(60))
@given(st.lists(directories(), min_size=1, max_size=5))
def test_being_told_of_changes_ends_where_reading_everything_does(history: list[Said]) -> None:
    with undone() as source:
        before = Said({}, {}, frozenset())
        for said in history:
            told(source, before, said)
            assert reference(said) == here()
            before = said


@pytest.mark.django_db
@settings(max_examples=examples(40))
@given(st.lists(directories(), min_size=1, max_size=4))
def test_no_read_touches_what_was_given_by_hand(history: list[Said]) -> None:
    with undone() as source:
        kept = ours.create(name="kept", by=BY)
        for said in history:
            for person in User.objects.filter(source="scim:okta"):
                memberships.give(person=person, group=kept, by=BY)
            given = {each for each in cast.memberships() if each[2] == "local"}
            brought_in_step(source, said)
            assert given == {each for each in cast.memberships() if each[2] == "local"}


@pytest.mark.django_db
@settings(max_examples=examples(30))
@given(directories(), directories())
def test_the_world_that_follows_is_the_one_that_is_built_anew(first: Said, second: Said) -> None:
    with undone() as source:
        before = build()
        for said in (first, second):
            brought_in_step(source, said)
        followed, built = advanced(before, changes_from(before.revision)), build()
        assert followed is not None
        assert (followed.direct, followed.parents, followed.people) == (built.direct, built.parents, built.people)
