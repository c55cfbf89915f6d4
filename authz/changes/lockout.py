"""Refuses a change after which nobody could administer the portal any more, at once or at an end that it sets."""

from collections.abc import Iterator
from contextlib import contextmanager

from authz.decisions import facts as f
from authz.errors import Conflict
from authz.lookups.administrators import administered

LOSSES = (
    f.PersonIs, f.PersonGone, f.GroupGone, f.MemberIs, f.MemberGone, f.NestGone,
    f.ServerIs, f.ServerGone, f.GrantIs, f.GrantGone,
)  # fmt: skip
"""Kinds of facts by which an administrator can stop being one."""


@contextmanager
def no_lockout(facts: list[f.Fact]) -> Iterator[None]:
    """Raise Conflict at the end if the portal had an administrator at the beginning, and `facts` cost it the last.

    So it is if they set an end after which it would have none. Where an administrator for good goes and others are left
    for a time, nothing is refused: who has to go, goes.
    """
    before = administered()
    yield
    if not any(isinstance(fact, LOSSES) for fact in facts):
        return
    after = administered()
    if before and not after:
        message = "after this change nobody could administer the portal any more"
        raise Conflict(message)
    if after < before and any(isinstance(fact, (f.MemberIs, f.GrantIs)) and fact.until is not None for fact in facts):
        message = "this sets an end to what the last administrator may, and then nobody could administer the portal"
        raise Conflict(message)
