"""What happens to groups, their owners and their members."""

from dataclasses import field

from audit.events.base import Changes, Event, event


@event("group.created", about="group")
class GroupCreated(Event):
    """A group was made."""

    group: str
    description: str = ""
    source: str = "local"


@event("group.changed", about="group")
class GroupChanged(Event):
    """Something about a group was changed."""

    group: str
    changes: Changes = field(default_factory=dict)


@event("group.removed", about="group")
class GroupRemoved(Event):
    """A group was removed with its memberships and grants."""

    group: str


@event("group.nested", about="child", towards="parent")
class GroupNested(Event):
    """Members of one group became members of another through it."""

    child: str
    parent: str
    source: str = "local"


@event("group.unnested", about="child", towards="parent")
class GroupUnnested(Event):
    """Members of one group are no longer members of another through it."""

    child: str
    parent: str
    source: str = "local"


@event("owner.added", about="group", towards="person")
class OwnerAdded(Event):
    """A person may from now on manage a group's members."""

    group: str
    person: str


@event("owner.removed", about="group", towards="person")
class OwnerRemoved(Event):
    """A person may no longer manage a group's members."""

    group: str
    person: str


@event("membership.given", about="person", towards="group")
class MembershipGiven(Event):
    """A person was made a member of a group."""

    person: str
    group: str
    until: str | None = None
    reason: str = ""
    source: str = "local"


@event("membership.changed", about="person", towards="group")
class MembershipChanged(Event):
    """The end of a membership, or the reason for it, was changed."""

    person: str
    group: str
    changes: Changes = field(default_factory=dict)
    source: str = "local"


@event("membership.removed", about="person", towards="group")
class MembershipRemoved(Event):
    """A person is no longer a member of a group."""

    person: str
    group: str
    reason: str = ""
    source: str = "local"
