"""What happens to directories, and what is brought in step with them."""

from dataclasses import field

from audit.events.base import Changes, Event, event


@event("directory.added", about="directory")
class DirectoryAdded(Event):
    """People and groups may from now on come from a directory."""

    directory: str
    settings: dict[str, object] = field(default_factory=dict)


@event("directory.changed", about="directory")
class DirectoryChanged(Event):
    """How a directory is read was changed; a new secret is told as changed, never as what it is."""

    directory: str
    changes: Changes = field(default_factory=dict)


@event("directory.enabled", about="directory")
class DirectoryEnabled(Event):
    """A directory is listened to again."""

    directory: str


@event("directory.disabled", about="directory")
class DirectoryDisabled(Event):
    """A directory changes nothing, and nobody signs in by it, until it is enabled again."""

    directory: str


@event("directory.removed", about="directory")
class DirectoryRemoved(Event):
    """A directory was forgotten; what came from it was removed or handed over, as the entries before this one tell."""

    directory: str


@event("rule.added", about="group", towards="directory")
class RuleAdded(Event):
    """Whoever of a directory fits a rule is from now on in a group."""

    directory: str
    group: str
    rule: str


@event("rule.removed", about="group", towards="directory")
class RuleRemoved(Event):
    """A rule of a directory gives no memberships any more."""

    directory: str
    group: str
    rule: str


@event("identity.linked", about="person", towards="directory")
class IdentityLinked(Event):
    """Somebody of a directory is this person from now on."""

    person: str
    directory: str
    external_id: str


@event("identity.unlinked", about="person", towards="directory")
class IdentityUnlinked(Event):
    """Somebody of a directory is this person no longer."""

    person: str
    directory: str
    external_id: str
    reason: str = ""


@event("memberships.synced", about="person", towards="directory")
class MembershipsSynced(Event):
    """A directory put somebody in groups, or took them out: as far as this directory is concerned."""

    person: str
    directory: str
    given: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@event("run.queued", about="directory")
class RunQueued(Event):
    """Somebody asked for a directory to be brought in step, or for a preview of that."""

    directory: str
    run: int
    mode: str


@event("run.held", about="directory")
class RunHeld(Event):
    """A run would do more than it may without approval, and waits for it."""

    directory: str
    run: int
    reasons: tuple[str, ...] = ()


@event("run.approved", about="directory")
class RunApproved(Event):
    """Somebody approved what a run was held for."""

    directory: str
    run: int
    reasons: tuple[str, ...] = ()


@event("run.dismissed", about="directory")
class RunDismissed(Event):
    """Somebody decided that a run which was held shall not be done."""

    directory: str
    run: int


@event("run.done", about="directory")
class RunDone(Event):
    """A run came to its end."""

    directory: str
    run: int
    counts: dict[str, int] = field(default_factory=dict)
    problems: int = 0


@event("run.failed", about="directory")
class RunFailed(Event):
    """A run failed, and changed nothing after that."""

    directory: str
    run: int
    failure: str
