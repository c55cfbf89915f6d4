"""Asks providers now and then whether they still vouch for whom they signed in."""

import logging
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from audit.context import Actor
from authz.changes import provider_sessions
from authz.directory.oidc import id_token, people, tokens
from authz.directory.oidc.provider import Provider, provider_of
from authz.errors import AuthzError, BadCredential, DirectoryFailed, InvalidName, NotAllowed
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
    One that does not answer says nothing: its sessions stay until it does, or reach their own limit; health names it.
    """
    ended = 0
    silent: set[int] = set()
    for _ in range(MOST):
        # Each is claimed when its turn comes: whatever stops this process, the others are due as before.
        held = provider_sessions.claim_next(now, without=silent, pause=_pause)
        if held is None:
            break
        try:
            ended += _asked(held)
        except DirectoryFailed as error:
            silent.add(held.source_id)
            provider_sessions.ask_again(held, now=now)
            provider_sessions.note_silence(held.source, why=str(error))
            log.warning("oidc.recheck_failed", extra={"directory": str(held.source), "error": str(error)})
        except AuthzError as error:
            log.warning("oidc.recheck_failed", extra={"directory": str(held.source), "error": str(error)})
        except Exception:
            # What nobody thought of in one answer must not keep others from being asked about.
            log.exception("oidc.recheck_failed", extra={"directory": str(held.source)})
    provider_sessions.forget_silence(now)
    provider_sessions.forget()
    return ended


def _asked(held: ProviderSession) -> bool:
    """Ask about one session, and end it if the provider says no; return whether it did."""
    by, provider = Actor.service(str(held.source)), provider_of(held.source)
    try:
        refresh_token = provider_sessions.refresh_token_of(held)
        before = unverified_part(provider_sessions.id_token_of(held), 1) or {}
    except BadCredential as error:
        log.warning("oidc.session_not_renewed", extra={"directory": str(held.source), "error": str(error)})
        provider_sessions.end_one(held, because="what it rests on cannot be read here any more", by=by)
        return True
    try:
        _check(provider, held, refresh_token, before, by=by)
    except WRONG as error:
        log.info("oidc.session_not_renewed", extra={"directory": str(held.source), "error": str(error)})
        provider_sessions.note_answer(held.source)
        provider_sessions.end_one(held, because=f"{held.source}: {provider_sessions.NO_LONGER}", by=by)
        return True
    provider_sessions.note_answer(held.source)
    return False


def _pause(held: ProviderSession) -> timedelta:
    try:
        minutes = read(OidcSettings, held.source.settings).recheck_minutes
    except InvalidName:  # one provider's settings must not keep the others from being asked
        minutes = OidcSettings.model_fields["recheck_minutes"].default
    return timedelta(minutes=minutes)


def _check(
    provider: Provider, held: ProviderSession, refresh_token: str, before: Mapping[str, Any], *, by: Actor
) -> None:
    """Renew a session's tokens, and take over what the provider says now.

    `before` is what its last ID token said: it was checked when it came, and kept where nobody else could write it.
    """
    given = tokens.refresh(provider, refresh_token)
    new_id_token = given.get("id_token")
    claims = {"sub": held.subject}
    # Kept before anything is looked at: the old one may be spent already.
    newer = given.get("refresh_token")
    provider_sessions.renew(held, refresh_token=newer if isinstance(newer, str) else "", id_token="")
    access_token = given["access_token"]
    if new_id_token is not None:
        before = {}
        claims = id_token.verified(
            new_id_token, provider, nonce=None, access_token=access_token, at=time.time(), subject=held.subject
        )
        provider_sessions.renew(held, refresh_token="", id_token=new_id_token)
    else:
        id_token.check_assurance(before.get("acr"), provider)
    person = people.taken_over(provider, claims, access_token=access_token, by=by, before=before)
    if person.pk != held.session.person_id:
        message = "the provider's subject is another person now"
        raise NotAllowed(message)
