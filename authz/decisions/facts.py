"""The facts a World is made of; a change is a list of them, and so is a draft of one.

A fact travels in the change log as a JSON array of its name and its fields in order:

    ["MemberIs", 17, 4, null]

Times are seconds since the epoch; None is "without end". Sets travel as arrays.
"""

from typing import Any, NamedTuple


class PersonIs(NamedTuple):
    """A person or a service account exists, and is like this."""

    number: int
    uid: str
    email: str
    name: str
    active: bool
    human: bool


class PersonGone(NamedTuple):
    """A person was deleted, and their memberships with them."""

    number: int


class GroupIs(NamedTuple):
    """A group exists; `everyone` marks the one that every active human is in without a row."""

    number: int
    name: str
    everyone: bool


class GroupGone(NamedTuple):
    """A group was deleted, and its memberships and nestings with it."""

    number: int


class MemberIs(NamedTuple):
    """A person is directly in a group, until a time or without end; all sources taken together."""

    person: int
    group: int
    until: float | None


class MemberGone(NamedTuple):
    """A person is no longer directly in a group, by any source."""

    person: int
    group: int


class NestIs(NamedTuple):
    """Whoever is in `child` is in `parent`."""

    child: int
    parent: int


class NestGone(NamedTuple):
    """`child` is no longer directly in `parent`."""

    child: int
    parent: int


class ServerIs(NamedTuple):
    """A server exists, with all its routes and tools."""

    number: int
    name: str
    kind: str
    enabled: bool
    mcp_path: str
    """Where below each prefix MCP is spoken; empty for the prefix itself."""
    routes: tuple[tuple[str, str], ...]
    """Pairs of host ("*" for any) and path prefix."""
    tools: tuple[str, ...]
    verifies_headers: bool = False
    """Whether it compares `Mcp-Method` and `Mcp-Name` with the body, so that they can be believed."""
    switched_off: tuple[str, ...] = ()
    """Those of its tools that are closed to everyone."""
    upstream: str = ""
    """Where the relay carries its WebSockets, as a ws or wss URL; empty for nowhere."""
    longest: float | None = None
    """Seconds that a connection to it may live; None for what the settings say."""
    notices: bool = False
    """Whether its clients understand a notice in their stream before the end."""
    any_origin: bool = False
    """Whether a session cookie opens a WebSocket to it whatever page asks."""


class ServerGone(NamedTuple):
    """A server was deleted, and its grants with it."""

    number: int


class GrantIs(NamedTuple):
    """A group or one person may do something to a server."""

    number: int
    group: int | None
    person: int | None
    action: str
    server: int
    tools: tuple[str, ...] | None
    """Tool names or patterns with `*`; None for all of them."""
    until: float | None
    networks: tuple[str, ...]
    """Networks in CIDR form from which it holds; empty for any."""


class GrantGone(NamedTuple):
    """A grant was removed."""

    number: int


class KeyIs(NamedTuple):
    """An API key is good, until a time or without end."""

    number: int
    digest: str
    """Hexadecimal SHA-256 of the whole key."""
    person: int
    scopes: tuple[str, ...]
    until: float | None


class KeyGone(NamedTuple):
    """An API key was revoked."""

    number: int


class SessionIs(NamedTuple):
    """A sign-in is open."""

    number: int
    digest: str
    """Hexadecimal SHA-256 of the cookie's secret."""
    person: int
    until: float
    """Its absolute limit."""
    idle: float
    """Seconds without a request after which it ends."""
    seen: float
    """When it was last used, as far as the tables know."""


class SessionGone(NamedTuple):
    """A sign-in was ended."""

    number: int


class IssuerIs(NamedTuple):
    """JWTs of this issuer are accepted."""

    number: int
    issuer: str
    audiences: tuple[str, ...]
    claim: str
    """The claim that names the person by e-mail address."""
    algorithms: tuple[str, ...]
    jwks_url: str
    """Where its keys are fetched; empty when `jwks` holds them."""
    jwks: str
    """A JWK set (RFC 7517) as JSON text, or empty."""
    id_tokens: bool = False
    """Whether its ID tokens (OpenID Connect Core 1.0 §2) are taken as well, which tell an application who signed in."""


class IssuerGone(NamedTuple):
    """An issuer is no longer trusted."""

    number: int


class ProxyIs(NamedTuple):
    """Forwarded headers from this proxy are honoured."""

    number: int
    name: str
    secret: str
    """Hexadecimal SHA-256 of the shared secret, or empty."""
    networks: tuple[str, ...]
    """Networks it connects from, in CIDR form; empty for any (then there is a secret)."""


class ProxyGone(NamedTuple):
    """A proxy is no longer trusted."""

    number: int


class HangUp(NamedTuple):
    """Somebody's connections are to end: the one named, or all that there are."""

    person: int
    connection: str
    """Empty for all of them."""
    revision: int
    """Whose World let them in is older than this; one that is let in by this or a later one is another."""


Fact = (
    PersonIs | PersonGone | GroupIs | GroupGone | MemberIs | MemberGone | NestIs | NestGone
    | ServerIs | ServerGone | GrantIs | GrantGone | KeyIs | KeyGone | SessionIs | SessionGone
    | IssuerIs | IssuerGone | ProxyIs | ProxyGone | HangUp
)  # fmt: skip

NAMES: dict[str, Any] = {kind.__name__: kind for kind in Fact.__args__}


def to_json(fact: Fact) -> list[Any]:
    """Return the array that travels in the change log."""
    return [type(fact).__name__, *fact]


def _frozen(value: object) -> object:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def from_json(array: list[Any]) -> Fact:
    """Return the fact in an array of the change log; KeyError or TypeError if there is none."""
    fact: Fact = NAMES[array[0]](*(_frozen(item) for item in array[1:]))
    return fact
