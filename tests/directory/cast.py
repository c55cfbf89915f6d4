"""The people we know as a directory has them, and a directory to have them."""

from typing import Any

from audit.context import Actor
from authz.changes import sources
from authz.directory.observed import Observed, ObservedGroup, ObservedPerson
from authz.models import Group, Membership, Source, User

BY = Actor.command("tests")

OIDC: dict[str, Any] = {"issuer": "https://login.example.com", "client_id": "portal"}
LDAP: dict[str, Any] = {
    "urls": ["ldaps://ldap.example.com"],
    "people_base": "ou=people,dc=example,dc=com",
    "groups_base": "ou=groups,dc=example,dc=com",
}
SETTINGS = {"ldap": LDAP, "oidc": OIDC, "scim": {}}


def source(kind: str = "ldap", name: str = "corp", **settings: Any) -> Source:
    """Return a directory."""
    return sources.add(name=name, kind=kind, settings=SETTINGS[kind] | settings, by=BY)


def person(name: str, /, *, key: str = "", **more: Any) -> ObservedPerson:
    """Return somebody, whose key is their name unless it is told."""
    told: dict[str, Any] = {"key": key or name, "email": f"{name}@example.com", "name": name.title()} | more
    return ObservedPerson(**told)


def group(name: str, *members: str, key: str = "", children: tuple[str, ...] | None = ()) -> ObservedGroup:
    """Return a group with these members, whose key is its name unless it is told."""
    inside = None if children is None else frozenset(children)
    return ObservedGroup(key or name, name, members=frozenset(members), children=inside)


def read(*told: ObservedPerson | ObservedGroup, complete: bool = True, **more: Any) -> Observed:
    """Return what a directory said, to the end unless it is told otherwise."""
    people = {each.key: each for each in told if isinstance(each, ObservedPerson)}
    groups = {each.key: each for each in told if isinstance(each, ObservedGroup)}
    return Observed(people=people, groups=groups, complete=complete, **more)


def somebody(name: str) -> User:
    """Return a person of ours."""
    return User.objects.get(email=f"{name}@example.com")


def memberships() -> set[tuple[str, str, str]]:
    """Return who is directly in what, and who says so."""
    rows = Membership.objects.values_list("person__email", "group__name", "source")
    return {(email.partition("@")[0], name, by) for email, name, by in rows}


def groups() -> set[str]:
    """Return the names of the groups that came from somewhere else."""
    return set(Group.objects.exclude(source="local").values_list("name", flat=True))
