"""Remembers what was judged in one World, so that the same request is not judged twice.

An answer follows from three things: the World, what the request shows, and the time. This remembers answers by the
first two, with the span of time in which the third does not matter, and drops them with their World; so a remembered
answer is exactly the one that judging again would give, and a change of anything at all forgets them all. What is
shown is remembered as a keyed hash, because it holds secrets.

Not remembered: sign-ins (their login address is made afresh), JWTs (their issuer's keys may change without a change of
the World), several session cookies at once, and anything unreadable.
"""

import secrets
from hashlib import blake2b
from typing import Final, NamedTuple

from authz.credentials.session import ends
from authz.credentials.usage import USAGE
from authz.decisions.facts import SessionIs
from authz.decisions.membership import standing
from authz.decisions.vocabulary import Decision, Effect, Question
from authz.decisions.world import World
from authz.edge.answers import Answer
from authz.edge.request import Request

MOST: Final = 16_384
"""Answers remembered; each takes about a kilobyte."""
_KEY: Final = secrets.token_bytes(32)


class Judged(NamedTuple):
    """An answer, what led to it, and when it holds."""

    question: Question
    decision: Decision
    answer: Answer
    url: str
    since: float
    until: float
    session: SessionIs | None
    key: int


def name_of(request: Request, dialect: str) -> bytes | None:
    """Return the name under which a request's answer is remembered: a hash of all that an answer can depend on."""
    if request.problem:
        return None
    shown = "\0".join((dialect, request.peer, request.method, request.target, *request.headers, *request.headers.values()))
    return blake2b(shown.encode("latin-1", "replace"), key=_KEY, digest_size=32).digest()


def recall(world: World, name: bytes | None, at: float) -> Judged | None:
    """Return the answer to the same request if it still holds, and note that its credential was used."""
    known: Judged | None = world.memo.get(name)
    if known is None or not known.since <= at < known.until:
        return None
    if (session := known.session) is not None:
        if at >= ends(session):
            return None
        USAGE.session_used(session.number, at)
    elif known.key:
        USAGE.key_used(known.key, at)
    return known


def remember(  # noqa: PLR0913  what an answer is made of
    world: World,
    name: bytes | None,
    *,
    question: Question,
    decision: Decision,
    answer: Answer,
    url: str,
    lasts: float,
    lone: bool,
) -> None:
    """Keep an answer for as long as it holds, at most `lasts` seconds; `lone` says that one credential was shown."""
    who = question.who
    if name is None or who is None or decision.effect is Effect.SIGN_IN or not lone:
        return
    person = world.people.get(who.person)
    kind, _, number = who.credential.partition(":")
    if person is None or kind not in {"session", "key"}:
        return
    _, since, until = standing(world, person, question.at)
    session = world.sessions[world.session_digests[int(number)]] if kind == "session" else None
    if len(world.memo) >= MOST:
        world.memo.clear()
    until = min(until, decision.until, who.until, question.at + lasts)
    key = int(number) if kind == "key" else 0
    world.memo[name] = Judged(question, decision, answer, url, since, until, session, key)
