"""People of a directory: creates, links, changes, suspends and restores them, and puts them where it says.

Many people are one change, written in a few statements; the book tells of each of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db.models import F
from django.utils import timezone

from audit import events
from audit.context import Actor
from authz.changes import memberships, people
from authz.changes.change import Draft, attempt
from authz.changes.steps import Ours, PersonStep
from authz.decisions.facts import Fact, MemberGone, MemberIs
from authz.errors import Conflict
from authz.lookups import facts
from authz.models import ForeignGroup, ForeignMember, Group, Identity, Membership, Source, Tombstone, User

WRITTEN = (
    "version", "seen_at", "changed_at", "gone_at", "suspended", "suspended_at", "active", "locator", "attributes",
    "resource",
)  # fmt: skip


def take(source: Source, steps: Sequence[PersonStep], *, by: Actor) -> None:
    """Do some steps for people, all of them or none; Conflict or InvalidName says why not.

    The groups there that they speak of must be known already.
    """
    with attempt(by) as draft:
        draft.kept = True
        batch = _Batch(source, draft, by)
        active = batch.active(steps)
        numbers = batch.people(steps)
        identities = batch.identities(steps, numbers, active)
        batch.groups_there(steps, identities)
        batch.memberships(steps, numbers)
        for step in steps:
            if step.suspended and step.number in active:
                people.suspend_for(source, batch.person(numbers[step.key]), by=by, reason=step.suspended)
            if step.key in batch.restored:
                people.restore_for(source, batch.person(numbers[step.key]), by=by, reason="they are active again")


class _Batch:
    """One change for many people."""

    def __init__(self, source: Source, draft: Draft, by: Actor) -> None:
        self.source, self.label, self.draft, self.by = source, str(source), draft, by
        self.now = timezone.now()
        self.suspended_by_hand: frozenset[str] = frozenset()
        """Keys of those who come back as they were deleted: suspended, and not by this directory."""
        self.restored: set[str] = set()
        """Keys of those whom this directory had suspended, and nobody else meanwhile."""

    def active(self, steps: Sequence[PersonStep]) -> frozenset[int]:
        """Return who of those to be suspended is active as of now, whatever was so when the plan was made."""
        numbers = [step.number for step in steps if step.suspended and step.number is not None]
        rows = User.objects.filter(pk__in=numbers, is_active=True)
        return frozenset(rows.values_list("pk", flat=True)) if numbers else frozenset()

    def person(self, number: int) -> User:
        return User.objects.get(pk=number)

    def people(self, steps: Sequence[PersonStep]) -> dict[str, int]:
        """Create, adopt and change people; return everybody's number by key."""
        numbers = {step.key: step.number for step in steps if step.number is not None}
        new = [step for step in steps if step.number is None]
        if taken := User.objects.filter(email__in=[step.email for step in new]).first():
            message = f"{taken.email} exists already"
            raise Conflict(message)
        marks = self._tombstones(new)
        rows = [
            User(
                email=step.email,
                name=step.name or "",
                is_human=step.human,
                is_active=not step.suspended and step.key not in marks,
                source=self.label,
                external_id=step.key,
                password=make_password(None),
            )
            for step in new
        ]
        User.objects.bulk_create(rows)
        for step, row in zip(new, rows, strict=True):
            numbers[step.key] = row.pk
            said = events.PersonCreated(person=row.email, name=row.name, source=self.label)
            self.draft.say(said, facts.person(row))
            if mark := marks.get(step.key):
                reason = (
                    f"they were suspended when {mark.removed_by} deleted them: {mark.reason or 'no reason was given'}"
                )
                self.draft.say(events.PersonSuspended(person=row.email, reason=reason), facts.person(row))
            elif step.suspended:
                reason = f"{self.source}: {step.suspended}"
                self.draft.say(events.PersonSuspended(person=row.email, reason=reason), facts.person(row))
        Tombstone.objects.filter(pk__in=[mark.pk for mark in marks.values()]).delete()
        back = {mark.email for mark in marks.values()} | {step.email for step in new if step.key in marks}
        Tombstone.objects.filter(source=None, email__in=back).delete()
        self.suspended_by_hand = frozenset(marks)
        for step in steps:
            if step.number is None:
                continue
            wanted: dict[str, str] = {"source": self.label, "external_id": step.key} if step.adopted else {}
            if step.email:
                wanted["email"] = step.email
            if step.name is not None:
                wanted["name"] = step.name
            if wanted:
                people.edit(self.person(step.number), by=self.by, **wanted)
        return numbers

    def _tombstones(self, new: Sequence[PersonStep]) -> dict[str, Tombstone]:
        """Return the marks of those who come back, by key: by their id, or by their e-mail under another id.

        By their e-mail they are also known who were deleted while this directory did not have them.
        """
        if not new:
            return {}
        rows, emails = Tombstone.objects.filter(source=self.source), [step.email for step in new]
        by_key = {row.external_id: row for row in rows.filter(external_id__in=[step.key for step in new])}
        by_email = {row.email: row for row in Tombstone.objects.filter(source=None, email__in=emails)}
        by_email |= {row.email: row for row in rows.filter(email__in=emails)}
        found = {step.key: by_key.get(step.key) or by_email.get(step.email) for step in new}
        return {key: mark for key, mark in found.items() if mark is not None}

    def identities(
        self, steps: Sequence[PersonStep], numbers: dict[str, int], active: frozenset[int]
    ) -> dict[str, Identity]:
        """Write the rows by which the directory's people are known; return them by key."""
        held = Identity.objects.in_bulk([step.identity for step in steps if step.identity is not None])
        found: dict[str, Identity] = {}
        new: list[Identity] = []
        changed: list[Identity] = []
        for step in steps:
            if step.identity is None:
                row = Identity(source=self.source, external_id=step.key, person_id=numbers[step.key], seen_at=self.now)
                new.append(row)
            else:
                row = held[step.identity]
                if not (
                    step.known or step.email or step.name is not None or step.suspended or step.restored or step.gone
                ):
                    found[step.key] = row
                    continue  # only what they are in has changed, which is told by other rows
                changed.append(row)
                row.version += bool(step.known or step.email or step.name is not None)
                row.seen_at = self.now if not step.gone else row.seen_at
                row.changed_at = self.now
            for name, value in step.known.items():
                setattr(row, name, value)
            if step.gone:
                row.gone_at = self.now
            by_hand = step.key in self.suspended_by_hand
            if step.suspended and not by_hand and (step.number is None or step.number in active):
                row.suspended, row.suspended_at = True, self.now
            elif step.restored and row.suspended:
                row.suspended, row.suspended_at = False, None
                self.restored.add(step.key)
            found[step.key] = row
        Identity.objects.bulk_create(new)
        Identity.objects.bulk_update(changed, WRITTEN, batch_size=200)
        self._tell_links(steps, numbers, {row.external_id for row in new})
        return found

    def _tell_links(self, steps: Sequence[PersonStep], numbers: dict[str, int], new: set[str]) -> None:
        emails = _emails(numbers[step.key] for step in steps if step.gone or (step.key in new and step.number))
        for step in steps:
            number = numbers[step.key]
            if step.key in new and step.number is not None:
                linked = events.IdentityLinked(person=emails[number], directory=self.label, external_id=step.key)
                self.draft.say(linked)
            if step.gone:
                unlinked = events.IdentityUnlinked(
                    person=emails[number], directory=self.label, external_id=step.key, reason="gone from the directory"
                )
                self.draft.say(unlinked)

    def groups_there(self, steps: Sequence[PersonStep], identities: dict[str, Identity]) -> None:
        """Write who is in which group there."""
        keys = {key for step in steps for key in step.joined | step.left}
        rows = ForeignGroup.objects.filter(source=self.source, external_id__in=keys)
        groups = dict(rows.values_list("external_id", "pk"))
        ForeignMember.objects.bulk_create(
            [
                ForeignMember(group_id=groups[key], identity=identities[step.key])
                for step in steps
                for key in sorted(step.joined)
                if key in groups
            ],
            ignore_conflicts=True,
        )
        if self.source.kind == Source.SCIM:  # whose clients are told when a group changed, and in which version it is
            touched = ForeignGroup.objects.filter(pk__in=groups.values())
            touched.update(version=F("version") + 1, changed_at=self.now)
        left: defaultdict[int, list[int]] = defaultdict(list)
        for step in steps:
            for key in step.left:
                if key in groups:
                    left[groups[key]].append(identities[step.key].pk)
        for group, members in sorted(left.items()):
            ForeignMember.objects.filter(group=group, identity__in=members).delete()

    def memberships(self, steps: Sequence[PersonStep], numbers: dict[str, int]) -> None:
        """Give, remove and explain memberships of this directory, and say what follows for the World."""
        ours = self._ours({group for step in steps for group in step.given})
        named = Group.objects.in_bulk(set(ours.values()) | {group for step in steps for group in step.removed})
        given = [
            (numbers[step.key], ours[group], reason)
            for step in steps
            for group, reason in step.given.items()
            if group in ours
        ]
        Membership.objects.bulk_create(
            [
                Membership(person_id=person, group_id=group, source=self.label, reason=reason, given_by=self.by.name)
                for person, group, reason in given
            ],
            ignore_conflicts=True,
        )
        removed = [(numbers[step.key], group) for step in steps for group in step.removed]
        by_group: defaultdict[int, list[int]] = defaultdict(list)
        for person, group in removed:
            by_group[group].append(person)
        for group, members in sorted(by_group.items()):
            Membership.objects.filter(source=self.label, group=group, person__in=members).delete()
        for step in steps:
            for group, reason in step.explained.items():
                held = Membership.objects.filter(source=self.label, group=group, person=numbers[step.key]).first()
                if held is not None:
                    memberships.edit(held, by=self.by, reason=reason)
        emails = _emails(numbers[step.key] for step in steps if step.given or step.removed)
        for step in steps:
            if step.given or step.removed:
                said = events.MembershipsSynced(
                    person=emails[numbers[step.key]],
                    directory=self.label,
                    given=tuple(sorted(named[ours[group]].name for group in step.given if group in ours)),
                    removed=tuple(sorted(named[group].name for group in step.removed if group in named)),
                )
                self.draft.say(said)
        self.draft.facts += _as_they_are({(person, group) for person, group, _ in given} | set(removed))

    def _ours(self, wanted: set[Ours]) -> dict[Ours, int]:
        """Return the numbers of groups of ours; one that could not be made is missing."""
        found: dict[Ours, int] = {group: group for group in wanted if isinstance(group, int)}
        keys = [group for group in wanted if isinstance(group, str)]
        if keys:
            rows = ForeignGroup.objects.filter(source=self.source, external_id__in=keys, group__isnull=False)
            found.update(rows.values_list("external_id", "group_id"))
        return found


def _emails(numbers: Iterable[int]) -> dict[int, str]:
    return dict(User.objects.filter(pk__in=set(numbers)).values_list("pk", "email"))


def _as_they_are(pairs: set[tuple[int, int]]) -> list[Fact]:
    """Return what holds for each pair of person and group, all sources taken together: the longest of them counts."""
    ends: dict[tuple[int, int], datetime | None] = {}
    rows = Membership.objects.filter(
        person__in={person for person, _ in pairs}, group__in={group for _, group in pairs}
    ).values_list("person_id", "group_id", "until")
    for person, group, until in rows:
        pair = person, group
        if pair not in pairs:
            continue
        before = ends.get(pair, until)
        ends[pair] = None if until is None or before is None else max(until, before)
    return [MemberIs(*pair, facts.epoch(ends[pair])) if pair in ends else MemberGone(*pair) for pair in sorted(pairs)]
