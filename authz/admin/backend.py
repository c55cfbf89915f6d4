"""Answers Django's permission questions by our own decisions, on the portal as a resource."""

import time

from authz.decisions.decide import decide
from authz.decisions.vocabulary import Action, Kind, Principal, Question, Target, Where
from authz.decisions.world import World
from authz.lookups.current import current_world
from authz.models import User


def portal_of(world: World) -> int:
    """Return the number of the server that is the portal itself, or 0."""
    return next((server.number for server in world.servers.values() if server.kind == Kind.PORTAL), 0)


def may_administer(person: int, *, world: World, at: float) -> bool:
    """Return whether somebody may administer the portal."""
    who = Principal(person, "portal")
    return decide(Question(who, Action.ADMINISTER, Target(Where.SERVER, portal_of(world)), at), world).allowed


class Decisions:
    """The one authentication backend: it judges, and signs nobody in (the login page does)."""

    def authenticate(self, *_: object, **__: object) -> None:
        """Leave signing in to the login page."""

    def get_user(self, number: int) -> User | None:
        """Return a person by number."""
        return User.objects.filter(pk=number).first()

    def has_perm(self, user: User, _permission: str, _thing: object = None) -> bool:
        """Return whether this person administers the portal; every permission of Django's is that one question."""
        return bool(user.is_active) and may_administer(user.pk, world=current_world(), at=time.time())
