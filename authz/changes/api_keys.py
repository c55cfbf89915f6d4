"""API keys: issue, rotate, change, revoke."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.utils import timezone

from audit import events
from audit.context import Actor
from authz.changes.change import change
from authz.changes.edits import assign, differences, moment
from authz.decisions.scopes import is_scope
from authz.errors import Conflict, InvalidName
from authz.formats import api_key
from authz.formats.labels import parse_label
from authz.lookups import facts
from authz.models import ApiKey, User


class Issued(NamedTuple):
    """A new key's row, and its text, which is shown once and kept nowhere."""

    row: ApiKey
    text: str


def issue(*, person: User, name: str, scopes: Sequence[str], by: Actor, until: datetime | None = None) -> Issued:
    """Give somebody a new key; InvalidName or Conflict says why not."""
    name, scopes = parse_label(name, what="key name"), _scopes(scopes)
    with change(by) as draft:
        text = api_key.make(secrets.token_bytes(64))
        key = ApiKey.objects.create(
            person=person,
            name=name,
            scopes=scopes,
            until=until,
            prefix=api_key.prefix_of(text),
            digest=api_key.digest(text),
        )
        draft.say(events.KeyIssued(**_words(key)), facts.api_key(key))
    return Issued(key, text)


def rotate(key: ApiKey, *, overlap: timedelta, by: Actor) -> Issued:
    """Replace a key by a new one with the same rights; the old one works for `overlap` longer, and no longer."""
    with change(by) as draft:
        key = ApiKey.objects.select_related("person").get(pk=key.pk)
        if key.revoked_at is not None or key.rotated_to_id is not None:
            message = f"{key} was revoked or rotated before"
            raise Conflict(message)
        ends = timezone.now() + overlap
        if key.until is not None and key.until <= timezone.now():
            message = f"{key} has expired; issue a new one"
            raise Conflict(message)
        text = api_key.make(secrets.token_bytes(64))
        following = ApiKey.objects.create(
            person=key.person,
            name=key.name,
            scopes=key.scopes,
            until=key.until,
            prefix=api_key.prefix_of(text),
            digest=api_key.digest(text),
        )
        assign(key, {"until": min(key.until, ends) if key.until else ends, "rotated_to": following})
        draft.say(
            events.KeyRotated(**_words(following), previous=key.prefix), facts.api_key(following), facts.api_key(key)
        )
    return Issued(following, text)


def edit(key: ApiKey, /, *, by: Actor, **wanted: Any) -> ApiKey:  # noqa: ANN401  fields of the row, by name
    """Change the name, the scopes or the end of a key."""
    if "name" in wanted:
        wanted["name"] = parse_label(wanted["name"], what="key name")
    if "scopes" in wanted:
        wanted["scopes"] = _scopes(wanted["scopes"])
    with change(by) as draft:
        key = ApiKey.objects.select_related("person").get(pk=key.pk)
        if changes := differences(key, wanted):
            assign(key, wanted)
            draft.say(events.KeyChanged(**_words(key), changes=changes), facts.api_key(key))
    return key


def revoke(key: ApiKey, *, by: Actor, reason: str = "") -> ApiKey:
    """Refuse a key from the next request on, for ever."""
    with change(by) as draft:
        key = ApiKey.objects.select_related("person").get(pk=key.pk)
        if key.revoked_at is None:
            assign(key, {"revoked_at": timezone.now()})
            draft.say(events.KeyRevoked(**_words(key), reason=reason), facts.api_key(key))
    return key


def _scopes(scopes: Sequence[str]) -> list[str]:
    wanted = sorted({scope.strip() for scope in scopes})
    for scope in wanted:
        if not is_scope(scope):
            message = f"{scope!r} is not a scope"
            raise InvalidName(message)
    if not wanted:
        message = "a key without a scope opens nothing; choose at least one"
        raise Conflict(message)
    return wanted


def _words(key: ApiKey) -> dict[str, Any]:
    return {
        "person": key.person.email,
        "key": key.prefix,
        "name": key.name,
        "scopes": tuple(key.scopes),
        "expires": moment(key.until),
    }
