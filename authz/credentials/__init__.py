"""Who? Turns what was presented into a Principal; one kind, one file, one function, and this package is their order.

A reader has three answers: a Principal ("mine and good"), None ("not mine": the next one looks), or BadCredential
("mine and bad": nobody else looks). A reader that needs something slow first (a fetch, a look at the tables) raises
Unsettled; whoever asked lets it settle where that disturbs nobody, and asks once more.
"""

from typing import Any

from authz.credentials import api_key, bearer_jwt, session
from authz.credentials.contract import Presented, Reader, Unsettled
from authz.decisions.vocabulary import Principal
from authz.decisions.world import World
from authz.errors import BadCredential, NotAllowed

READERS: tuple[Reader, ...] = (
    api_key.read,
    bearer_jwt.read,
    session.read,  # after every explicit credential: a script with a key is never its user
)


def identify(presented: Presented, world: World, at: float) -> Principal | None:
    """Return who presents this, None for a stranger; BadCredential or Unsettled as told above."""
    if presented.problem:
        raise BadCredential(presented.problem)
    for read in READERS:
        if (principal := read(presented, world, at)) is not None:
            return principal
    return None


KINDS: dict[str, Any] = {"key": api_key, "jwt": bearer_jwt, "session": session}
"""What a principal's credential is called, to the module that read it."""


def anchor(who: Principal, world: World) -> Any:  # noqa: ANN401  each kind has its own
    """Return what a principal rests on in a World, of which its kind knows what it means; None if that is gone."""
    kind, _, number = who.credential.partition(":")
    return KINDS[kind].anchor(who, int(number), world)


def renewed(who: Principal, first: Any, world: World) -> Principal | None:  # noqa: ANN401  each kind has its own
    """Return a principal as it is in a newer World, `first` being what it rested on when it came; None if it ended.

    It is how a connection is judged whose credential was shown once, and is remembered nowhere.
    """
    kind = who.credential.partition(":")[0]
    anchored = anchor(who, world)
    renewed: Principal | None = KINDS[kind].renewed(who, anchored, first) if anchored is not None else None
    return renewed


def service(presented: Presented, world: World, at: float, *, scope: str) -> Principal:
    """Return the active holder of an API key that has this scope; BadCredential, NotAllowed or Unsettled otherwise.

    A session does not count: it is for people and pages, and a browser sends it without being asked.
    """
    who = identify(presented._replace(sessions=()), world, at)
    person = world.people.get(who.person) if who else None
    if who is None or person is None:
        message = "show an API key, as a Bearer token or in X-API-Key"
        raise BadCredential(message)
    if not person.active:
        message = "the account of this key is suspended"
        raise NotAllowed(message)
    if who.scopes is None or scope not in who.scopes:
        message = f"this needs an API key with the scope {scope}"
        raise NotAllowed(message)
    return who


__all__ = ["READERS", "Presented", "Unsettled", "anchor", "identify", "renewed", "service"]
