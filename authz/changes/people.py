"""People: create, edit, suspend, restore, remove, and set a password."""

from typing import Any

from django.contrib.auth.password_validation import validate_password

from audit import events
from audit.context import Actor
from authz.changes import api_keys, grants, groups, memberships, sessions
from authz.changes.change import Draft, change
from authz.changes.edits import assign, differences
from authz.decisions.facts import PersonGone
from authz.errors import Conflict
from authz.formats.emails import parse_email
from authz.formats.labels import parse_label
from authz.lookups import facts
from authz.models import Identity, Source, Tombstone, User


def create(  # noqa: PLR0913  one argument for each thing there is to say about somebody
    *,
    email: str,
    by: Actor,
    name: str = "",
    is_human: bool = True,
    source: str = "local",
    external_id: str = "",
    password: str | None = None,
) -> User:
    """Create a person or a service account; InvalidName or Conflict says why not."""
    email = parse_email(email)
    with change(by) as draft:
        if User.objects.filter(email=email).exists():
            message = f"{email} exists already"
            raise Conflict(message)
        person = User(email=email, name=_name(name), is_human=is_human, source=source, external_id=external_id)
        if password is None:
            person.set_unusable_password()
        else:
            _set_password(person, password)
        person.save()
        Tombstone.objects.filter(source=None, email=email).delete()  # it is an administrator who wants them back
        draft.say(events.PersonCreated(person=email, name=person.name, source=source), facts.person(person))
    return person


def edit(person: User, /, *, by: Actor, **wanted: Any) -> User:  # noqa: ANN401  fields of the row, by name
    """Change the e-mail, name, source or external id of a person."""
    if "email" in wanted:
        wanted["email"] = parse_email(wanted["email"])
    if "name" in wanted:
        wanted["name"] = _name(wanted["name"])
    with change(by) as draft:
        person = User.objects.get(pk=person.pk)
        if not (changes := differences(person, wanted)):
            return person
        if "email" in changes and User.objects.filter(email=wanted["email"]).exclude(pk=person.pk).exists():
            message = f"{wanted['email']} exists already"
            raise Conflict(message)
        before = person.email
        assign(person, wanted)
        draft.say(events.PersonChanged(person=before, changes=changes), facts.person(person))
    return person


def suspend(person: User, *, by: Actor, reason: str = "") -> User:
    """Refuse somebody everywhere from the next request on, and end their sessions; their keys rest with them.

    Whom a directory suspended before is suspended by hand from now on, and restored by no directory.
    """
    with change(by) as draft:
        person = User.objects.get(pk=person.pk)
        by_hand = _by_hand(person)
        if person.is_active or by_hand:
            draft.say(events.PersonSuspended(person=person.email, reason=reason))
        _suspend(person, draft, by=by)
    return person


def suspend_for(source: Source, person: User, *, by: Actor, reason: str) -> User:
    """Suspend somebody because their directory says so."""
    with change(by) as draft:
        person = User.objects.get(pk=person.pk)
        if person.is_active:
            draft.say(events.PersonSuspended(person=person.email, reason=f"{source}: {reason}"))
        _suspend(person, draft, by=by)
    return person


def _suspend(person: User, draft: Draft, *, by: Actor) -> None:
    if person.is_active:
        assign(person, {"is_active": False})
        draft.facts.append(facts.person(person))
        sessions.end_all(person, by=by, because="suspended")


def restore(person: User, *, by: Actor, reason: str = "") -> User:
    """Let somebody in again; ended sessions stay ended."""
    with change(by) as draft:
        person = User.objects.get(pk=person.pk)
        _by_hand(person)
        _restore(person, draft, reason)
    return person


def restore_for(source: Source, person: User, *, by: Actor, reason: str) -> User:
    """Let somebody in again because the directory that suspended them says so."""
    with change(by) as draft:
        person = User.objects.get(pk=person.pk)
        _restore(person, draft, f"{source}: {reason}")
    return person


def _restore(person: User, draft: Draft, reason: str) -> None:
    if not person.is_active:
        assign(person, {"is_active": True})
        draft.say(events.PersonRestored(person=person.email, reason=reason), facts.person(person))


def _by_hand(person: User) -> bool:
    """Note that it is for no directory any more to restore somebody; return whether it was until now."""
    held = Identity.objects.filter(person=person, suspended=True)
    return bool(held.update(suspended=False, suspended_at=None))


def remove(person: User, *, by: Actor, reason: str = "") -> None:
    """Delete somebody with all that hangs on them; the audit log keeps what they did.

    Of somebody who is suspended by hand a mark stays with each directory that has them, and one by their e-mail for all
    others: whichever brings them back, they are suspended then as they were.
    """
    with change(by) as draft:
        if (person := User.objects.filter(pk=person.pk).first()) is None:  # type: ignore[assignment]  # gone already
            return
        for membership in person.memberships.select_related("group"):
            memberships.remove(membership, by=by, reason=reason)
        for grant in person.grants.all():
            grants.remove(grant, by=by, reason=reason)
        for key in person.api_keys.filter(revoked_at=None):
            api_keys.revoke(key, by=by, reason=reason)
        for ownership in person.ownerships.select_related("group"):
            groups.remove_owner(ownership, by=by)
        sessions.end_all(person, by=by, because="removed")
        number, email = person.pk, person.email
        _leave_tombstones(person, reason=reason, by=by)
        person.delete()
        draft.say(events.PersonRemoved(person=email, reason=reason), PersonGone(number))


def _leave_tombstones(person: User, *, reason: str, by: Actor) -> None:
    identities = list(person.identities.all())
    if person.is_active or any(each.suspended for each in identities):
        return  # what a directory says of them now is what it will say then
    told = {"reason": reason, "removed_by": by.name}
    for each in identities:
        Tombstone.objects.update_or_create(
            source_id=each.source_id, external_id=each.external_id, defaults=told | {"email": person.email}
        )
    Tombstone.objects.update_or_create(source=None, email=person.email, defaults=told)


def set_password(person: User, password: str, *, by: Actor, keep: int | None = None) -> None:
    """Set a new password and end every session but `keep`; ValidationError says what is wrong with it."""
    with change(by) as draft:
        person = User.objects.get(pk=person.pk)
        if not person.is_human:
            message = "a service account has no password; issue it an API key"
            raise Conflict(message)
        _set_password(person, password)
        person.save(update_fields=["password"])
        draft.say(events.PasswordSet(person=person.email))
        sessions.end_all(person, by=by, because="new password", but=keep)


def _set_password(person: User, password: str) -> None:
    validate_password(password, person)
    person.set_password(password)


def _name(name: str) -> str:
    return parse_label(name, what="display name") if name.strip() else ""
