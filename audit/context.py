"""Names who did what an entry tells."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acted, in words that stay readable after the person or service is gone."""

    kind: str
    """person, service, command or system; stranger, for a decision about somebody unknown."""
    name: str
    """The person's e-mail, the service's name, the command, or the part of the system."""
    address: str = ""
    """The network address the act came from, where there is one."""

    @classmethod
    def person(cls, email: str, *, address: str = "") -> Self:
        """Return a person, named by e-mail."""
        return cls("person", email, address)

    @classmethod
    def service(cls, name: str, *, address: str = "") -> Self:
        """Return a service that acts in its own name."""
        return cls("service", name, address)

    @classmethod
    def command(cls, name: str) -> Self:
        """Return somebody at the command line, of whom only the command is known."""
        return cls("command", name)

    @classmethod
    def system(cls, name: str) -> Self:
        """Return a part of Gatehouse that acts by itself, such as the sequencer."""
        return cls("system", name)

    @classmethod
    def stranger(cls, *, address: str = "") -> Self:
        """Return a caller whom no credential names."""
        return cls("stranger", "", address)
