"""Asks providers now and then whether they still vouch for whom they signed in."""

import logging
import time
from datetime import datetime, timedelta

from audit.context import Actor
from authz.changes import provider_sessions
from authz.directory.oidc import id_token, people, tokens
from authz.directory.oidc.provider import Provider, provider_of
from authz.errors import AuthzError, BadCredential, Conflict, DirectoryFailed, InvalidName, NotAllowed
from authz.formats.signed_jwt import unverified_part
from authz.formats.sources import OidcSettings, read
from authz.models import ProviderSession

log = logging.getLogger(__name__)

MOST = 500
"""Sessions looked at by one call, so that one always ends; what is left is due at the next."""
WRONG = (tokens.Refused, BadCredential, NotAllowed)
"""Whoever signed in anew now would be refused for the same reason."""


def recheck(now: datetime) -> int:
    """Ask about every session whose check is due; return how many have ended by that.

    A provider says no by invalid_grant (RFC 6749 §5.2), or by tokens or claims for which a sign-in would be refused.
    One that does not answer says nothing: its sessions stay until it does, or reach their own limit.
    """
    ended = 0
    silent: set[int] = set()
    for held in provider_sessions.claim_due(now, most=MOST, pause=_pause):
        if held.source_id in silent:
            continue
        by = Actor.service(str(held.source))
        try:
            _check(provider_of(held.source), held, by=by)
        except WRONG as error:
            log.info("oidc.session_not_renewed", extra={"directory": str(held.source), "error": str(error)})
            provider_sessions.end_one(held, because=f"{held.source}: {provider_sessions.NO_LONGER}", by=by)
            ended += 1
        except AuthzError as error:
            if isinstance(error, DirectoryFailed):
                silent.add(held.source_id)
            log.warning("oidc.recheck_failed", extra={"directory": str(held.source), "error": str(error)})
    provider_sessions.forget()
    return ended


def _pause(held: ProviderSession) -> timedelta:
    try:
        minutes = read(OidcSettings, held.source.settings).recheck_minutes
    except InvalidName:  # one provider's settings must not keep the others from being asked
        minutes = OidcSettings.model_fields["recheck_minutes"].default
    return timedelta(minutes=minutes)


def _check(provider: Provider, held: ProviderSession, *, by: Actor) -> None:
    """Renew a session's tokens, and take over what the provider says now."""
    given = tokens.refresh(provider, provider_sessions.refresh_token_of(held))
    new_id_token = given.get("id_token")
    claims = {"sub": held.subject}
    # Kept before anything is looked at: the old one may be spent already.
    newer = given.get("refresh_token")
    provider_sessions.renew(held, refresh_token=newer if isinstance(newer, str) else "", id_token="")
    access_token = given["access_token"]
    if new_id_token is not None:
        claims = id_token.verified(
            new_id_token, provider, nonce=None, access_token=access_token, at=time.time(), subject=held.subject
        )
        provider_sessions.renew(held, refresh_token="", id_token=new_id_token)
    # Checked when it came, and kept where nobody else could write it.
    before = {} if new_id_token is not None else unverified_part(provider_sessions.id_token_of(held), 1) or {}
    person = people.taken_over(provider, claims, access_token=access_token, by=by, before=before)
    if person.pk != held.session.person_id:
        message = "the provider's subject is another person now"
        raise Conflict(message)
