"""Refuses a change after which nobody could administer the portal any more."""

from authz.decisions import facts as f
from authz.decisions.applied import applied
from authz.decisions.search import who_can
from authz.decisions.vocabulary import Action, Kind
from authz.decisions.world import World
from authz.errors import Conflict
from authz.lookups.current import CURRENT

LOSSES = (
    f.PersonIs, f.PersonGone, f.GroupGone, f.MemberIs, f.MemberGone, f.NestGone,
    f.ServerIs, f.ServerGone, f.GrantIs, f.GrantGone,
)  # fmt: skip
"""Kinds of facts by which an administrator can stop being one."""


def refuse_a_lockout(revision: int, facts: list[f.Fact], *, at: float) -> None:
    """Raise Conflict if the portal has an administrator now, and would have none after these facts."""
    if not any(isinstance(fact, LOSSES) for fact in facts):
        return
    before = CURRENT.before(revision)
    if _administered(before, at) and not _administered(applied(before, facts), at):
        message = "after this change nobody could administer the portal any more"
        raise Conflict(message)


def _administered(world: World, at: float) -> bool:
    """Return whether some active person may administer the portal."""
    return any(
        person.human
        for server in world.servers.values()
        if server.kind == Kind.PORTAL
        for person in who_can(world, server.number, action=Action.ADMINISTER, at=at)
    )
