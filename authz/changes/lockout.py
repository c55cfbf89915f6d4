"""Refuses a change after which nobody could administer the portal any more."""

from collections.abc import Iterator
from contextlib import contextmanager

from authz.decisions import facts as f
from authz.errors import Conflict
from authz.lookups.administrators import portal_is_administered

LOSSES = (
    f.PersonIs, f.PersonGone, f.GroupGone, f.MemberIs, f.MemberGone, f.NestGone,
    f.ServerIs, f.ServerGone, f.GrantIs, f.GrantGone,
)  # fmt: skip
"""Kinds of facts by which an administrator can stop being one."""


@contextmanager
def no_lockout(facts: list[f.Fact]) -> Iterator[None]:
    """Raise Conflict at the end if the portal had an administrator at the beginning, and `facts` cost it the last."""
    before = portal_is_administered()
    yield
    if before and any(isinstance(fact, LOSSES) for fact in facts) and not portal_is_administered():
        message = "after this change nobody could administer the portal any more"
        raise Conflict(message)
