"""`GET /api/v1/users/{email}/groups`: the groups somebody is in, at any depth; empty for nobody known."""

from typing import Any

from authz.api.door import Call, answers, key
from authz.decisions.membership import groups_of
from authz.decisions.scopes import GROUPS_READ
from authz.formats.emails import find_email


@answers(key(GROUPS_READ))
def of_person(call: Call, email: str) -> dict[str, Any]:
    """Return the names of the groups, sorted."""
    number = call.world.by_email.get(find_email(email))
    person = call.world.people[number] if number is not None else None
    if person is None or not person.active:
        return {"user_id": find_email(email), "groups": []}
    groups = groups_of(call.world, person, call.at)
    return {"user_id": person.email, "groups": sorted(call.world.groups[group].name for group in groups)}
