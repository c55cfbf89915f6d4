"""What every kind of credential is given, and how it says that it needs a moment."""

from collections.abc import Callable
from typing import NamedTuple

from authz.decisions.vocabulary import Principal
from authz.decisions.world import World
from authz.errors import AuthzError


class Presented(NamedTuple):
    """What a caller showed, as text, not yet believed."""

    bearer: str = ""
    """The token of an `Authorization: Bearer` header (RFC 6750 §2.1)."""
    api_key: str = ""
    """The `X-API-Key` header."""
    sessions: tuple[str, ...] = ()
    """Every value of the session cookie; a browser may send several."""
    problem: str = ""
    """Why what was shown cannot even be read, such as a header that came twice."""


class Unsettled(AuthzError):
    """A credential cannot be judged before something slow has happened: call `settle`, then ask once more."""

    def __init__(self, settle: Callable[[], object], *, address: str = "") -> None:
        """Keep what must happen; it may block, and may fail without harm. A fetch names the address that it asks."""
        self.settle = settle
        self.address = address
        super().__init__("a credential could not be judged in time")


Reader = Callable[[Presented, World, float], Principal | None]
