"""A call of the interface: who makes it, as of now, and with which arguments."""

import functools
import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from audit.spool import SpoolUnavailable
from authz.credentials import renewed
from authz.decisions.facts import PersonIs
from authz.decisions.vocabulary import Principal
from authz.decisions.world import World
from authz.errors import BadCredential, NotAllowed, Unavailable
from authz.formats import revision
from authz.lookups.current import current_world
from authz.sockets.held import Held
from authz.sockets.rpc.jsonrpc import INVALID_PARAMS, METHOD_NOT_FOUND, Params, Wrong
from authz.sockets.rpc.topics import Topics


class Call(NamedTuple):
    """A call, judged: the caller's credential is still good, and the person active."""

    held: Held
    topics: Topics
    who: Principal
    """As of now: the scopes and the end of the credential may have changed since the handshake."""
    person: PersonIs
    world: World
    at: float

    @property
    def revision(self) -> str:
        """Return the revision of the World that answers, as callers are told it."""
        return revision.make(self.world.epoch, self.world.revision)

    def demand(self, scope: str) -> None:
        """Raise NotAllowed unless the caller shows an API key with this scope."""
        if self.who.scopes is None or scope not in self.who.scopes:
            raise NotAllowed(f"this needs an API key with the scope {scope}")


KINDS: dict[Any, tuple[str, Callable[[Any], bool]]] = {
    str: ("a text", lambda value: isinstance(value, str)),
    str | None: ("a text or null", lambda value: isinstance(value, str | None)),
    int: ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    int | None: ("a whole number or null", lambda value: isinstance(value, int | None) and not isinstance(value, bool)),
    list[str]: ("a list of texts", lambda value: isinstance(value, list) and all(isinstance(x, str) for x in value)),
}
"""What a parameter may be annotated with, in words and as a check."""


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the interface: a function of a Call, whose further parameters are the method's."""

    run: Callable[..., dict[str, Any]]
    positional: tuple[str, ...] = ()
    """Names of the parameters, if they may also come in an array."""
    slow: bool = False
    """Whether it may take long, for it reads the database or tries things out: it is run in a thread."""

    def arguments(self, params: Params) -> dict[str, Any]:
        """Return the parameters by name; Wrong if the method takes others."""
        takes, anything = _parameters(self.run)
        if isinstance(params, list):
            if len(params) > len(self.positional):
                raise Wrong(INVALID_PARAMS, f"At most {len(self.positional)} parameters may come without their names.")
            params = dict(zip(self.positional, params, strict=False))
        if unknown := sorted(params.keys() - takes.keys()):
            if anything:
                return {}
            raise Wrong(INVALID_PARAMS, f"There is no parameter {unknown[0][:100]!r}.")
        for name, parameter in takes.items():
            if name not in params:
                if parameter.default is parameter.empty:
                    raise Wrong(INVALID_PARAMS, f"The parameter {name} is missing.")
                continue
            kind, fits = KINDS[parameter.annotation]
            if not fits(params[name]):
                raise Wrong(INVALID_PARAMS, f"The parameter {name} must be {kind}.")
        return params


@functools.cache
def _parameters(run: Callable[..., Any]) -> tuple[dict[str, inspect.Parameter], bool]:
    """Return the parameters behind the Call, and whether others are ignored."""
    found = list(inspect.signature(run).parameters.values())[1:]
    named = {each.name: each for each in found if each.kind is not each.VAR_KEYWORD}
    return named, len(named) < len(found)


def called(methods: Mapping[str, Method], name: str, params: Params, *, held: Held, topics: Topics) -> dict[str, Any]:
    """Return what a method answers now to whoever holds a connection; Wrong or an error of the domain otherwise."""
    if (method := methods.get(name)) is None:
        raise Wrong(METHOD_NOT_FOUND, f"There is no method {name[:100]!r}.")
    arguments = method.arguments(params)
    try:
        return method.run(judged(held, topics), **arguments)
    except SpoolUnavailable as error:
        raise Unavailable("the answer could not be recorded, so it is not given") from error


def judged(held: Held, topics: Topics) -> Call:
    """Return a call of whoever holds a connection, as they are now; BadCredential or NotAllowed otherwise."""
    world = current_world()
    at = time.time()
    who = renewed(held.who, held.anchor, world)
    if who is None or at >= who.until:
        raise BadCredential("the credential of this connection has ended")
    person = world.people.get(who.person)
    if person is None or not person.active:
        raise NotAllowed("this account is suspended")
    return Call(held, topics, who, person, world, at)
