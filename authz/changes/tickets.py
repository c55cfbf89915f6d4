"""Tickets: issue, and redeem once."""

import secrets
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import events
from audit.context import Actor
from audit.record import record
from authz.errors import BadCredential
from authz.formats import ticket as form
from authz.models import Server, Ticket, User

SELF = "portal"
"""What a ticket that leads to no server is recorded to lead to."""


class Redeemed(NamedTuple):
    """What a ticket was good for."""

    person: int
    credential: str
    server: int
    """0 for the portal's own interface."""
    origin: str


def issue(*, person: User, credential: str, server: Server | None, origin: str, by: Actor) -> str:
    """Return a new ticket, for one connection within seconds, from pages of one origin."""
    now = timezone.now()
    text = form.make(secrets.token_bytes(32))
    with transaction.atomic():
        Ticket.objects.filter(until__lte=now).delete()
        Ticket.objects.create(
            digest=form.digest(text),
            person=person,
            credential=credential,
            server=server,
            origin=origin,
            until=now + timedelta(seconds=settings.AUTHZ_TICKET_LIFETIME),
        )
        # No right changes by it, so there is no revision: others need not look up from what they remember.
        where = server.name if server is not None else SELF
        record(events.TicketIssued(person=person.email, server=where, origin=origin), by=by)
    return text


def redeem(text: str) -> Redeemed:
    """Return what a ticket was good for, which it is no more; BadCredential if it was used, or is too old."""
    refused = "this ticket is unknown, too old, or was used already"
    if not form.is_well_formed(text):
        raise BadCredential(refused)
    with transaction.atomic():
        held = Ticket.objects.filter(digest=form.digest(text)).first()
        # Of two that come at the same moment, one finds nothing left to delete.
        if held is None or Ticket.objects.filter(pk=held.pk).delete()[0] != 1 or held.until <= timezone.now():
            held = None
    if held is None:
        raise BadCredential(refused)
    return Redeemed(held.person_id, held.credential, held.server_id or 0, held.origin)
