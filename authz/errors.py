"""The errors of the domain: what went wrong, never which HTTP status it is."""


class AuthzError(Exception):
    """Something asked of us cannot be done; the message is safe to show to whoever asked."""


class BadCredential(AuthzError):
    """A credential was presented that we know how to read, and it is not good."""


class InvalidName(AuthzError):
    """An e-mail address, group name, host or other name does not follow its format."""


class BadRequest(AuthzError):
    """A request is not of the documented form."""


class NotAllowed(AuthzError):
    """The caller is known and may not do this."""


class Denied(NotAllowed):
    """The policy says no, and has a word of its own for why."""

    def __init__(self, code: str, reason: str) -> None:
        """Keep the stable word."""
        self.code = code
        super().__init__(reason)


class NoSuchThing(AuthzError):
    """A person, group, server or other thing that was named does not exist."""


class Conflict(AuthzError):
    """The change contradicts what is already there."""


class NestingCycle(Conflict):
    """Nesting one group in another would make a group a member of itself."""

    def __init__(self, path: tuple[str, ...]) -> None:
        """Keep the names along the cycle, the first one repeated at the end."""
        self.path = path
        super().__init__(f"this would make a circle: {' in '.join(path)}")


class ImplausiblePlan(Conflict):
    """A directory would change more than it may without somebody's approval."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        """Keep the reasons, each a sentence."""
        self.reasons = reasons
        super().__init__("; ".join(reasons))


class DirectoryFailed(AuthzError):
    """A directory cannot be reached, does not answer in time, or answers what cannot be true; nothing was changed."""


class OutboundFailed(DirectoryFailed):
    """Somebody else's server, a directory's or an issuer's, does not answer as it should, in its time and bytes."""


class Behind(AuthzError):
    """A process has not yet seen the revision that the caller demands."""


class UnreadableUrl(AuthzError):
    """A URL is malformed, or two readers could read it differently."""


class Unavailable(AuthzError):
    """An answer cannot be given now; every such failure is a denial."""


class TooBusy(Unavailable):
    """Too many want the same at this moment; the message is what to tell each of them."""

    def __init__(self, message: str = "Too many people are signing in just now. Please try again in a moment.") -> None:
        """Say so."""
        super().__init__(message)
