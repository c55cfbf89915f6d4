"""Remembers what was judged in one World, so that the same question is not judged twice.

An answer follows from the World, from the credentials that are shown, from what is asked for, and from the time. This
remembers answers by the first three, with the span of time in which the fourth does not matter, and drops them with
their World; so a remembered answer is exactly the one that judging again would give, and a change of anything at all
forgets them all. Credentials are secrets, and are remembered as a keyed hash.

Not remembered: sign-ins (their login address is made afresh), JWTs (their issuer's keys may change without a change of
the World), several credentials at once, and anything unreadable.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NamedTuple

from authz.credentials import Presented
from authz.credentials.cookies import session_part
from authz.credentials.session import ends
from authz.credentials.usage import USAGE
from authz.decisions.membership import standing
from authz.decisions.vocabulary import FOREVER, Decision, Effect, Principal, Question, Target, Where
from authz.decisions.world import World
from authz.edge.answers import Answer
from authz.edge.mcp_headers import Call
from authz.edge.request import Request

_KEY: Final = secrets.token_bytes(32)

Name = tuple[bytes, Target, str | None, str, str]


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer, what is written of it, and the span in which it certainly holds: in its World, since ≤ at < until."""

    answer: Answer
    line: str
    since: float
    until: float
    used: Callable[[int, float], None]
    """Notes that the credential was used, which is named by its number."""
    number: int


class Asker(NamedTuple):
    """All that is asked but the URL: with which credentials, of which tool, from where, and how."""

    shown: bytes
    call: Call
    address: str
    dialect: str


class Recalled(NamedTuple):
    """What was judged before, in which World, and the URL it is asked about now, as the book has it."""

    world: World
    judged: Judged
    url: str
    first: tuple[Asker, str] | None = None
    """If nobody asked about that URL before: who does now, and the URL as it was sent."""


def name_of(asker: Asker, target: Target, tool: str | None) -> Name | None:
    """Return what an answer is remembered by: all that it can depend on; None if it is not to be remembered."""
    if target.where is Where.UNREADABLE:
        return None
    return asker.shown, target, tool, asker.address, asker.dialect


def shown_by(request: Request) -> bytes:
    """Return a keyed hash of all the credentials in a request.

    What they are read from is hashed as it came, for a caller sends the same again and again. None of it holds a NUL: a
    request with one is unreadable.
    """
    headers = request.headers
    shown = (
        f"{session_part(headers.get('cookie', ''))}\0{headers.get('authorization', '')}\0{headers.get('x-api-key', '')}"
    )
    return blake2b(shown.encode("latin-1"), key=_KEY, digest_size=32).digest()


def is_key(who: Principal) -> bool:
    """Return whether somebody showed an API key: what follows from one ends with its World, or with the key."""
    return who.credential.startswith("key:")


def number_of(who: Principal) -> int:
    """Return the number of the session or key that somebody showed."""
    return int(who.credential.partition(":")[2])


def is_lone(presented: Presented) -> bool:
    """Return whether exactly one credential was shown: only then does the answer depend on that one alone."""
    return len(presented.sessions) + bool(presented.bearer) + bool(presented.api_key) == 1


def recall(world: World, name: Name | None, at: float) -> Judged | None:
    """Return what was judged if it still holds, and note that its credential was used."""
    known: Judged | None = world.memory.answers.get(name)
    if known is None or not known.since <= at < known.until:
        return None
    known.used(known.number, at)
    return known


def remember(  # noqa: PLR0913  what an answer is made of
    world: World,
    name: Name | None,
    *,
    question: Question,
    decision: Decision,
    answer: Answer,
    line: str,
    lasts: float = FOREVER,
) -> None:
    """Keep an answer for as long as it holds, and for at most `lasts` seconds."""
    who = question.who
    if name is None or who is None or decision.effect is Effect.SIGN_IN:
        return
    person = world.people.get(who.person)
    kind = who.credential.partition(":")[0]
    if person is None or kind not in {"session", "key"}:
        return
    number = number_of(who)
    _, since, until = standing(world, person, question.at)
    until = min(until, decision.until, who.until, question.at + lasts)
    used = USAGE.key_used
    if kind == "session":
        # Its idle end moves on with each use. As it is now it is certain; after that, it is judged again.
        until = min(until, ends(world.sessions[world.session_digests[number]]))
        used = USAGE.session_used
    world.memory.answers.keep(name, Judged(answer, line, since, until, used, number))
