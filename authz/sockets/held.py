"""One live connection of this process, from its handshake to its end."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from authz.credentials import anchor
from authz.decisions.facts import Fact, ProxyIs
from authz.decisions.vocabulary import Principal, Question
from authz.decisions.world import World
from authz.sockets.closing import Closing
from authz.sockets.lifetime import Standing


class Kind(StrEnum):
    """What a connection is for."""

    RELAY = "relay"
    RPC = "rpc"
    TCP = "tcp"


def entering(who: Principal, kind: Kind) -> Principal:
    """Return a principal as it opens a connection: an interface is open to any good credential.

    Each of its calls asks for the scope that it needs; a key that is limited to group checks has business there, too.
    """
    return who if kind is Kind.RELAY else who._replace(scopes=None)


@dataclass(frozen=True, eq=False)
class Heard:
    """A change of the World; `facts` is None if only a look at everything tells what changed."""

    before: World
    after: World
    facts: tuple[Fact, ...] | None
    worked_out: dict[str, Any] = field(default_factory=dict, repr=False)
    """What follows from the change alone: worked out by the first who asks, for thousands may hear of it."""


class Held:
    """A connection; it belongs to one event loop, and whoever serves it sets the three callbacks.

    `on_end` is called at most once, and must see to it that nothing is carried any more when it returns; `on_notice`
    is told how it will end and in how many seconds; `on_change` hears of every new World until the end.
    """

    __slots__ = (
        "address", "anchor", "ended", "id", "kind", "notified", "on_change", "on_end", "on_notice", "opened", "origin",
        "proxy", "question", "received", "revision", "sent", "standing", "timer", "upstream",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913  what there is to say of a connection
        self,
        kind: Kind,
        question: Question,
        world: World,
        *,
        opened: float,
        address: str,
        origin: str = "",
        proxy: ProxyIs | None = None,
        upstream: str = "",
    ) -> None:
        """Begin with what was asked at the handshake (its `who` is never None), and the World that allowed it."""
        if question.who is None:
            raise ValueError("nobody has no connection")
        self.id = uuid.uuid4().hex
        self.kind = kind
        self.question = question
        self.anchor = anchor(question.who, world)
        self.revision = world.revision
        """Of the World that let it in."""
        self.upstream = upstream
        """What its server said then of where it is carried; empty for an interface."""
        self.opened = opened
        """Seconds since the epoch."""
        self.address = address
        self.origin = origin
        self.proxy = proxy
        """Who named the address; nobody if it is the peer's own."""
        self.received = 0
        """Bytes of messages from the client."""
        self.sent = 0
        """Bytes of messages to the client."""
        self.standing: Standing | None = None
        self.ended: Closing | None = None
        self.notified = False
        self.timer: Any = None
        self.on_end: Callable[[Closing], None] = lambda _closing: None
        self.on_notice: Callable[[Closing, float], None] | None = None
        """None as long as there is nobody yet who could tell the client."""
        self.on_change: Callable[[Heard], None] | None = None

    @property
    def who(self) -> Principal:
        """Return whose connection it is, as of the handshake."""
        who = self.question.who
        if who is None:
            raise ValueError("nobody has no connection")
        return who

    @property
    def is_over(self) -> bool:
        """Return whether the connection was ended."""
        return self.ended is not None

    @property
    def server(self) -> int:
        """Return the number of the server it leads to, or 0."""
        return self.question.target.server
