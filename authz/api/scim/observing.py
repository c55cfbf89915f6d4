"""What a SCIM resource says of somebody: their e-mail, their name, and what rules may look at."""

from typing import Any, Final

from scim2_models import InvalidValueException

from authz.api.scim.patching import refuse_many
from authz.api.scim.resources import ENTERPRISE, Email, Person
from authz.decisions.names import lowered
from authz.directory.observed import ObservedPerson
from authz.errors import InvalidName
from authz.formats.emails import parse_email
from authz.formats.labels import parse_label

MOST: Final = 255
"""Characters of a userName."""
TRIED: Final = 20
"""Addresses of somebody that are looked at."""
DERIVED: Final = frozenset({"id", "meta", "groups", "members", "schemas"})
"""Attributes that are ours to say."""


def observed(key: str, user: Person, *, active: bool) -> ObservedPerson:
    """Return what a client said of somebody; InvalidValueException or InvalidName says what cannot be so."""
    resource = kept(user)
    refuse_many(resource)
    return ObservedPerson(
        key=key,
        email=email_of(user),
        name=name_of(user),
        active=active,
        attributes=attributes_of(resource),
        locator=locator_of(user.user_name or ""),
        resource=resource,
    )


def kept(resource: Any) -> dict[str, Any]:  # noqa: ANN401  a resource of either type
    """Return what is stored of a resource, to be read back."""
    return {name: value for name, value in resource.model_dump().items() if name not in DERIVED}


def locator_of(user_name: str) -> str:
    """Return the form under which two spellings of a userName are the same (RFC 7643 §4.1.1: case does not matter)."""
    return lowered(user_name)


def email_of(user: Person) -> str:
    """Return the address by which somebody is known here: their userName if it is one, or else one of their e-mails."""
    if (length := len(user.user_name or "")) > MOST:
        raise InvalidValueException(detail=f"userName has {length} characters; at most {MOST} are allowed")
    emails = sorted((email for email in user.emails or [] if email.value), key=_rank)
    why = []
    for name, text in (("userName", user.user_name), *(("emails", email.value) for email in emails[:TRIED])):
        try:
            return parse_email(text or "")
        except InvalidName as error:
            why.append(f"{name}: {error}")
    if not emails:
        why.append("emails: there is none")
    raise InvalidValueException(detail=f"people are known by e-mail here; {'; '.join(why)}")


def _rank(email: Email) -> int:
    """Put the primary address first, then that of work, and that of home last."""
    if email.primary:
        return 0
    return {"work": 1, "home": 3}.get(str(email.type or "").lower(), 2)


def name_of(user: Person) -> str:
    """Return how somebody is shown; InvalidName says why a name cannot be."""
    name = user.name
    parts = (name.given_name, name.family_name) if name else ()
    found = user.display_name or (name.formatted if name else "") or " ".join(part for part in parts if part)
    return parse_label(found, what="displayName") if found and found.strip() else ""


def attributes_of(resource: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return what rules may look at: every simple text, in lower case, and what roles and entitlements say."""
    said = {**resource, **resource.get(ENTERPRISE, {})}
    found: dict[str, tuple[str, ...]] = {
        name.lower(): (value,) for name, value in said.items() if isinstance(value, str) and value
    }
    for name in ("roles", "entitlements"):
        if values := tuple(str(each["value"]) for each in resource.get(name, ()) if each.get("value")):
            found[name] = values
    if value := said.get("manager", {}).get("value"):
        found["manager"] = (value,)
    return found
