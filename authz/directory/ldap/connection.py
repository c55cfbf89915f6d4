"""A connection to an LDAP server: TLS verified, nothing waited for without end, and every failure in words."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import ldap
from ldap.ldapobject import LDAPObject

from authz.directory.ldap.certificate import kept_file, why_not_trusted
from authz.errors import DirectoryFailed
from authz.formats.sources import LdapSettings
from authz.outbound.waiting import leave_database

log = logging.getLogger(__name__)

CONNECT = 5.0
"""Seconds in which a server has to take a connection."""
UNREACHABLE = (ldap.SERVER_DOWN, ldap.CONNECT_ERROR, ldap.TIMEOUT, ldap.UNAVAILABLE, ldap.BUSY)
"""What is no answer, so that the next server is asked."""


@contextmanager
def words(settings: LdapSettings) -> Iterator[None]:
    """Turn what goes wrong with a server into DirectoryFailed, saying what and with which."""
    where = ", ".join(settings.urls)
    try:
        yield
    except ldap.INVALID_CREDENTIALS:
        message = f"{where} does not accept the name or the password that Gatehouse reads with"
        raise DirectoryFailed(message) from None
    except ldap.TIMEOUT:
        message = f"{where} did not answer within {settings.patience:g} s"
        raise DirectoryFailed(message) from None
    except ldap.SIZELIMIT_EXCEEDED:
        message = f"{where} shows only a part of what there is (size limit); give the reader's account a higher one"
        raise DirectoryFailed(message) from None
    except ldap.SERVER_DOWN:
        raise DirectoryFailed("; ".join(_why_down(url, settings) for url in settings.urls)) from None
    except ldap.LDAPError as error:
        raise DirectoryFailed(f"{where}: {told(error)}") from None
    except (ValueError, OSError) as error:
        # Such as a port that is none, a certificate that is none, or a name that is not UTF-8.
        message = f"{where} cannot be understood: {' '.join(str(error).split())}"
        raise DirectoryFailed(message) from error


def told(error: ldap.LDAPError) -> str:
    """Return what a server said, in one line."""
    said: Any = error.args[0] if error.args else {}
    if not isinstance(said, dict):
        return str(said)
    parts = [str(said.get("desc", type(error).__name__)), str(said.get("info", "")).strip()]
    return ": ".join(part for part in parts if part)


def _why_down(url: str, settings: LdapSettings) -> str:
    # libldap says "Can't contact LDAP server" for a server that is down and for a certificate that is wrong.
    if settings.tls == "verify" and (why := why_not_trusted(url, ca=settings.ca)) is not None:
        return why
    return f"{url} cannot be reached"


@contextmanager
def connected(settings: LdapSettings, *, dn: str, password: str) -> Iterator[LDAPObject]:
    """Return a connection to the first server that takes one, bound as `dn`; DirectoryFailed says why there is none."""
    with words(settings):
        connection = _first(settings)
        try:
            connection.simple_bind_s(dn, password)
            yield connection
        finally:
            _leave(connection)


def _first(settings: LdapSettings) -> LDAPObject:
    leave_database()
    last: ldap.LDAPError = ldap.SERVER_DOWN()
    for url in settings.urls:
        connection = ldap.initialize(url, bytes_mode=False)
        for option, value in options(settings).items():
            connection.set_option(option, value)
        try:
            if starts_tls(url, settings):
                connection.start_tls_s()
            else:
                _be_answered(connection)
        except UNREACHABLE as error:
            log.warning("ldap.server_down", extra={"url": url, "error": told(error)})
            _leave(connection)
            last = ldap.SERVER_DOWN() if isinstance(error, ldap.CONNECT_ERROR) else error
        else:
            return connection
    raise last


def _be_answered(connection: LDAPObject) -> None:
    """Ask a server for anything, to learn whether it is there: a refusal is an answer as good as any.

    Hardened servers show nothing to whoever has not said who they are.
    """
    try:
        connection.search_s("", ldap.SCOPE_BASE, attrlist=["1.1"])
    except UNREACHABLE:
        raise
    except ldap.LDAPError as error:
        log.debug("ldap.answered", extra={"said": told(error)})


def _leave(connection: LDAPObject) -> None:
    try:
        connection.unbind_s()
    except ldap.LDAPError:
        log.debug("ldap.gone")


def starts_tls(url: str, settings: LdapSettings) -> bool:
    """Return whether a connection begins in the clear and is then encrypted (RFC 4511 §4.14)."""
    return settings.tls == "verify" and urlsplit(url).scheme == "ldap"


def options(settings: LdapSettings) -> dict[int, Any]:
    """Return what is set on every connection, in this order."""
    made: dict[int, Any] = {
        ldap.OPT_PROTOCOL_VERSION: 3,
        ldap.OPT_REFERRALS: 0,  # another server was not named by any administrator of ours
        ldap.OPT_NETWORK_TIMEOUT: CONNECT,
        ldap.OPT_TIMEOUT: settings.patience,
        ldap.OPT_X_TLS_REQUIRE_CERT: ldap.OPT_X_TLS_DEMAND if settings.tls == "verify" else ldap.OPT_X_TLS_NEVER,
    }
    if settings.ca:
        made[ldap.OPT_X_TLS_CACERTFILE] = str(kept_file(settings.ca))
    # What was said of TLS counts only once a context is made anew, so this comes last.
    made[ldap.OPT_X_TLS_NEWCTX] = 0
    return made
