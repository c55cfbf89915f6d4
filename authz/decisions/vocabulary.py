"""The nouns of a decision: who asks, for what, and what the answer is."""

from enum import StrEnum
from typing import Final, NamedTuple


class Effect(StrEnum):
    """The three outcomes of a decision."""

    ALLOW = "allow"
    DENY = "deny"
    SIGN_IN = "sign-in"
    """Denied, but a credential could change that."""


class Action(StrEnum):
    """What a grant can permit."""

    USE = "use"
    ADMINISTER = "administer"
    """Includes `use`."""


class Kind(StrEnum):
    """What a server is; all four are granted in the same way."""

    MCP = "mcp"
    """Speaks the Model Context Protocol and has tools."""
    WEB = "web"
    """A plain web application behind the same proxy."""
    CAPABILITY = "capability"
    """A named ability (a feature flag) that no URL leads to."""
    PORTAL = "portal"
    """Gatehouse itself; whoever may administer it is an administrator."""


ANY_TOOL: Final = None
"""The request does not prove which tool it calls, so it may be any of them."""

NO_TOOL: Final = ""
"""The request provably calls no tool: it lists them, or says hello."""

FOREVER: Final = float("inf")


class Principal(NamedTuple):
    """Who somebody is, and by which proof we know it; only `credentials` makes one from what was presented."""

    person: int
    credential: str
    """Kind and number of the proof, such as "session:12"; names it in the log and is never secret."""
    scopes: frozenset[str] | None = None
    """What the credential is limited to; None means whatever the person may do."""
    until: float = FOREVER
    """When the credential ends, in seconds since the epoch."""


class Where(StrEnum):
    """What the URL of a request led to."""

    NOT_ASKED = "not-asked"
    SERVER = "server"
    NOWHERE = "nowhere"
    UNREADABLE = "unreadable"


class Target(NamedTuple):
    """What is asked for: a server, or the reason why there is none."""

    where: Where
    server: int = 0
    problem: str = ""


IDENTITY: Final = Target(Where.NOT_ASKED)
"""The request names no URL: it only asks who the caller is."""

NOWHERE: Final = Target(Where.NOWHERE)


class Question(NamedTuple):
    """Whether this principal may do this to that, now and from here."""

    who: Principal | None
    action: Action
    target: Target
    at: float
    """Seconds since the epoch."""
    tool: str | None = ANY_TOOL
    address: str = ""
    """The client's IP address; empty when nobody trustworthy named it."""


class Decision(NamedTuple):
    """An answer that can explain itself."""

    effect: Effect
    rule: str
    """The rule that decided, for the log: "a_grant_opens_the_door"."""
    code: str
    """A stable word for machines: "no-grant"."""
    reason: str
    """One sentence for the person; it names no group and nobody else."""
    until: float = FOREVER
    """When an allowance ends by itself, in seconds since the epoch."""
    grant: int = 0
    """The number of the grant that allowed it, or 0."""

    @property
    def allowed(self) -> bool:
        """Whether the answer is yes."""
        return self.effect is Effect.ALLOW
