"""When a connection must end by itself, and why: the earliest of everything that it rests on."""

from typing import NamedTuple

from authz.decisions.vocabulary import Decision, Effect
from authz.sockets.closing import EXPIRED, LIFETIME, NOT_ALLOWED, REVOKED, Closing


class Standing(NamedTuple):
    """A connection stands until a moment, in seconds since the epoch, and ends then for a reason."""

    until: float
    closing: Closing


def standing(*, opened: float, longest: float, credential: float, right: float) -> Standing:
    """Return until when a connection stands.

    It began at `opened` and may last `longest` seconds; its credential (and the session behind that) ends at
    `credential`, its grant or membership at `right`. Where two end together, the one that asks less of the client is
    told: to connect again at once, then to sign in, then to give up.
    """
    ends = ((opened + longest, LIFETIME), (credential, EXPIRED), (right, NOT_ALLOWED))
    return Standing(*min(ends, key=lambda end: end[0]))


def closing_for(decision: Decision) -> Closing:
    """Return how a connection ends whose right was judged anew, and is a no."""
    if decision.effect is Effect.SIGN_IN:
        return EXPIRED
    return REVOKED if decision.code == "suspended" else NOT_ALLOWED
