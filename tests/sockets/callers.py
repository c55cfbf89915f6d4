"""Somebody we know who calls the interface over a connection that needs no socket."""

import json
import time
from typing import Any

from audit import conf
from authz.credentials import Presented, identify
from authz.decisions.vocabulary import IDENTITY, Action, Question
from authz.errors import AuthzError
from authz.lookups.current import CURRENT
from authz.sockets.held import Held, Kind
from authz.sockets.rpc.calls import called
from authz.sockets.rpc.jsonrpc import Wrong
from authz.sockets.rpc.methods import METHODS
from authz.sockets.rpc.topics import Topics
from tests.people import key_of, token_of

ADDRESS = "192.0.2.9"


def holding(presented: Presented, address: str = ADDRESS) -> Held:
    """Return a connection of whoever presents this."""
    here = CURRENT.now()
    who = identify(presented, here, time.time())
    return Held(Kind.RPC, Question(who, Action.USE, IDENTITY, time.time()), here, opened=time.time(), address=address)


def with_session(person: int) -> Held:
    """Return a connection by somebody's session."""
    return holding(Presented(sessions=(token_of(person),)))


def with_key(person: int) -> Held:
    """Return a connection by somebody's API key."""
    return holding(Presented(bearer=key_of(person)))


class Caller:
    """Somebody who calls over one connection."""

    def __init__(self, held: Held) -> None:
        """Call over this connection."""
        self.held = held
        self.topics = Topics(held)

    def __call__(self, method: str, *positional: Any, **named: Any) -> dict[str, Any]:
        """Return what a method answers."""
        params = list(positional) or named
        return called(METHODS, method, params, held=self.held, topics=self.topics)

    def problem(self, method: str, *positional: Any, **named: Any) -> Any:
        """Return the error that a call ends with."""
        try:
            return self(method, *positional, **named)
        except Wrong as error:
            return error.code
        except AuthzError as error:
            return type(error)


def last() -> dict[str, Any]:
    """Return the decision that this process recorded last."""
    spools = sorted(conf.spool_dir().glob("edge-*.spool"), key=lambda each: each.stat().st_mtime_ns)
    found: dict[str, Any] = json.loads(spools[-1].read_text().splitlines()[-1])
    return found
