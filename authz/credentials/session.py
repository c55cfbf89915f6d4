"""Session cookies, begun at the login page."""

from authz.conf import signing_key
from authz.credentials.contract import Presented, Unsettled
from authz.credentials.usage import USAGE
from authz.decisions.facts import SessionIs
from authz.decisions.vocabulary import Principal
from authz.decisions.world import World
from authz.errors import BadCredential
from authz.formats import session_token
from authz.lookups.current import CURRENT

MOST = 16
"""Values of the cookie that are looked at; a browser sends one for each domain above the host, and never that many."""


def read(presented: Presented, world: World, at: float) -> Principal | None:
    """Return whose session this is; BadCredential if it has ended, or if the cookies name two people.

    A browser may send the cookie several times, one of them planted from a neighbouring domain: exactly one person
    must come out of all of them, and values that we did not make count for nothing.
    """
    if not presented.sessions:
        return None
    if len(presented.sessions) > MOST:
        message = "there are too many session cookies"
        raise BadCredential(message)
    good: dict[int, SessionIs] = {}
    for token in presented.sessions:
        held = world.sessions.get(session_token.digest(token))
        if held is None:
            _look_again_if_new(token, world)
        elif at < ends(held):
            good[held.number] = held
    if not good:
        message = "your sign-in has ended"
        raise BadCredential(message)
    if len({held.person for held in good.values()}) > 1:
        message = "the session cookies belong to different people"
        raise BadCredential(message)
    held = max(good.values(), key=lambda session: session.number)
    USAGE.session_used(held.number, at)
    return Principal(held.person, f"session:{held.number}", None, held.until)


def anchor(who: Principal, number: int, world: World) -> SessionIs | None:
    """Return the session that a principal rests on, or None if it was ended."""
    held = world.sessions.get(world.session_digests.get(number, ""))
    return held if held is not None and held.person == who.person else None


def renewed(who: Principal, anchored: SessionIs, _first: SessionIs) -> Principal:
    """Return the principal as the session is now, which ends with it, or when it lies idle."""
    return who._replace(until=ends(anchored))


def ends(held: SessionIs) -> float:
    """Return when a session ends if nothing more is asked of it, in seconds since the epoch."""
    return min(held.until, max(held.seen, USAGE.session_seen(held.number)) + held.idle)


def _look_again_if_new(token: str, world: World) -> None:
    """Raise Unsettled for a session that began after this World; anything else unknown has ended or is nonsense."""
    revision = session_token.revision_of(token, key=signing_key("session"))
    if revision is not None and revision > world.revision:
        raise Unsettled(CURRENT.look)
