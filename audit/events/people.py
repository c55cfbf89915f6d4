"""What happens to people and to their coming and going."""

from dataclasses import field

from audit.events.base import Changes, Event, event


@event("person.created", about="person")
class PersonCreated(Event):
    """A person was entered."""

    person: str
    name: str = ""
    source: str = "local"


@event("person.changed", about="person")
class PersonChanged(Event):
    """Something about a person was changed."""

    person: str
    changes: Changes = field(default_factory=dict)


@event("person.suspended", about="person")
class PersonSuspended(Event):
    """A person lost every access, and kept everything else."""

    person: str
    reason: str = ""


@event("person.restored", about="person")
class PersonRestored(Event):
    """A suspended person was let in again."""

    person: str
    reason: str = ""


@event("person.removed", about="person")
class PersonRemoved(Event):
    """A person was removed with everything they held."""

    person: str
    reason: str = ""


@event("password.set", about="person")
class PasswordSet(Event):
    """A person's password was set; the password itself is never told."""

    person: str


@event("session.started", about="person", towards="session")
class SessionStarted(Event):
    """A person signed in."""

    person: str
    session: str
    device: str = ""
    address: str = ""


@event("session.ended", about="person", towards="session")
class SessionEnded(Event):
    """A person's session ended: by themselves, by somebody else, or by time."""

    person: str
    session: str
    reason: str = ""


@event("sign_in.refused", about="name")
class SignInRefused(Event):
    """Somebody typed a name with a password that did not open it, or came by a provider and was not let in."""

    name: str
    reason: str = ""
