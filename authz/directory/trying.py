"""Tries a directory of whichever kind."""

from authz.directory.oidc import tried as oidc
from authz.directory.tried import Tried
from authz.models import Source


def tried(source: Source) -> list[Tried]:
    """Return what came of trying a directory; nothing is changed by it."""
    if source.kind == Source.OIDC:
        return oidc.tried(source)
    if source.kind == Source.LDAP:
        try:
            from authz.directory.ldap import tried as ldap  # noqa: PLC0415  python-ldap may be missing
        except ImportError as error:
            return [
                Tried("load python-ldap", fine=False, words=f"it is not installed ({error}); see docs/directory.md")
            ]
        return ldap.tried(source)
    heard = f"the last push was at {source.read_at:%Y-%m-%d %H:%M}" if source.read_at else "nothing was pushed yet"
    return [Tried("listen", fine=source.read_at is not None, words=heard)]
