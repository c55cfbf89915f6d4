"""Which connections a change may touch, so that the others are left alone: their judgment cannot have changed."""

from collections.abc import Iterable
from typing import NamedTuple

from authz.decisions import facts as f
from authz.decisions.world import World


class Touched(NamedTuple):
    """The people, servers and credentials whose connections are to be judged anew; or everybody's."""

    everybody: bool
    people: frozenset[int] = frozenset()
    servers: frozenset[int] = frozenset()
    credentials: frozenset[str] = frozenset()


EVERYBODY = Touched(everybody=True)


def touched(facts: Iterable[f.Fact], before: World) -> Touched:
    """Return what these facts may touch; what is not known to be harmless touches everybody."""
    people: set[int] = set()
    servers: set[int] = set()
    credentials: set[str] = set()
    for fact in facts:
        match fact:
            case f.PersonIs() | f.PersonGone():
                people.add(fact.number)
            case f.MemberIs() | f.MemberGone() | f.HangUp():
                people.add(fact.person)
            case f.ServerIs() | f.ServerGone():
                servers.add(fact.number)
            case f.GrantIs():
                servers |= {fact.server, *_server_of(fact.number, before)}
            case f.GrantGone():
                servers |= _server_of(fact.number, before)
            case f.KeyIs() | f.KeyGone():
                credentials.add(f"key:{fact.number}")
            case f.SessionIs() | f.SessionGone():
                credentials.add(f"session:{fact.number}")
            case f.IssuerIs() | f.IssuerGone():
                credentials.add(f"jwt:{fact.number}")
            case _:
                return EVERYBODY
    return Touched(
        everybody=False, people=frozenset(people), servers=frozenset(servers), credentials=frozenset(credentials)
    )


def _server_of(grant: int, before: World) -> set[int]:
    """Return the server of a grant; one that was neither there before nor is told of anew opens nothing."""
    held = before.grants.get(grant)
    return set() if held is None else {held.server}
