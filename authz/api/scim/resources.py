"""The resources of SCIM as we keep them: User with its enterprise extension, and Group (RFC 7643 §4).

Passwords and certificates are not among the attributes: what a client sends of them is neither kept nor read. A member
of a group is told by id alone, since a name beside it could be stale.
"""

from typing import Annotated, Any, Generic, Union

from pydantic import Field, field_validator
from scim2_models import Address as AnAddress
from scim2_models import (
    AnyExtension,
    CaseExact,
    ComplexAttribute,
    ExtensibleStringEnum,
    Extension,
    External,
    Mutability,
    Reference,
    Required,
    Resource,
    Uniqueness,
)
from scim2_models import Entitlement as AnEntitlement
from scim2_models import Im as AnIm
from scim2_models import Name as AName
from scim2_models import PhoneNumber as APhoneNumber
from scim2_models import Photo as APhoto
from scim2_models import Role as ARole
from scim2_models.urn import URN

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def flag(value: object) -> object:
    """Return a Boolean, also where it was sent as text, as Entra does; anything else is refused.

    Python calls every text but the empty one true, "False" included: a leaver would stay.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    message = "a Boolean is true or false"
    raise ValueError(message)


class Entry(ComplexAttribute):
    """One value of several, of which one may be the primary."""

    _primary = field_validator("primary", mode="before", check_fields=False)(flag)


class Email(Entry):
    """An e-mail address; also one that only exists inside an organisation, such as alice@corp.local."""

    class Type(ExtensibleStringEnum):
        """What it is for."""

        work = "work"
        home = "home"
        other = "other"

    value: str | None = None
    """The address."""

    display: str | None = None
    """How it is shown."""

    type: Type | None = None
    """What it is for."""

    primary: bool | None = None
    """Whether it is the preferred one."""


class PhoneNumber(Entry, APhoneNumber):
    """A phone number."""


class Im(Entry, AnIm):
    """An address of instant messaging."""


class Photo(Entry, APhoto):
    """The address of a picture."""


class Address(Entry, AnAddress):
    """A postal address."""


class Entitlement(Entry, AnEntitlement):
    """Something that somebody has."""


class Role(Entry, ARole):
    """What somebody is."""


class InGroup(ComplexAttribute):
    """A group that somebody is directly in."""

    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    """The id of the group."""

    ref: Annotated[Reference["Group"] | None, Mutability.read_only] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The address of the group."""

    display: Annotated[str | None, Mutability.read_only] = None
    """The name of the group."""


class User(Resource[AnyExtension], Generic[AnyExtension]):
    """Somebody; the attributes of RFC 7643 §4.1 but for passwords and certificates."""

    __schema__ = URN(USER)

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """What the client calls them; their e-mail address here, if it is one."""

    name: AName | None = None
    """The parts of their name."""

    display_name: str | None = None
    """How they are shown to others."""

    nick_name: str | None = None
    """How they are called casually."""

    profile_url: Reference[External] | None = None
    """A page about them."""

    title: str | None = None
    """What they are, such as Vice President."""

    user_type: str | None = None
    """How they belong to the organisation, such as Employee or Contractor."""

    preferred_language: str | None = None
    """The languages they prefer, as in Accept-Language."""

    locale: str | None = None
    """How numbers and dates are written for them."""

    timezone: str | None = None
    """Where they are, such as Europe/Oslo."""

    active: bool | None = None
    """Whether they are let in; without it, as before."""

    emails: list[Email] | None = None
    """Their addresses; the primary one, or that of work, is theirs here unless userName is one."""

    phone_numbers: list[PhoneNumber] | None = None
    """Their phone numbers."""

    ims: list[Im] | None = None
    """Their addresses of instant messaging."""

    photos: list[Photo] | None = None
    """Pictures of them."""

    addresses: list[Address] | None = None
    """Their postal addresses."""

    groups: Annotated[list[InGroup] | None, Mutability.read_only] = None
    """The groups of this client that they are directly in."""

    entitlements: list[Entitlement] | None = None
    """What they have."""

    roles: list[Role] | None = None
    """What they are."""

    _active = field_validator("active", mode="before")(flag)


class Manager(ComplexAttribute):
    """Whom somebody reports to."""

    value: Annotated[str | None, CaseExact.true] = None
    """The id of that person."""

    ref: Annotated[Reference["User"] | None, Mutability.read_write] = Field(  # type: ignore[type-arg]
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The address of that person."""


class EnterpriseUser(Extension):
    """What an organisation says of its people (RFC 7643 §4.3)."""

    __schema__ = URN(ENTERPRISE)

    employee_number: str | None = None
    """The number or word by which the organisation knows them."""

    cost_center: str | None = None
    """Who pays for them."""

    organization: str | None = None
    """Which organisation they are of."""

    division: str | None = None
    """Which division they are of."""

    department: str | None = None
    """Which department they are of."""

    manager: Manager | None = None
    """Whom they report to."""

    @field_validator("manager", mode="before")
    @classmethod
    def _by_id(cls, value: Any) -> Any:  # noqa: ANN401  as it was sent
        return manager(value)


class Member(ComplexAttribute):
    """Who, or which group, is directly in a group."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    """The id of the person or group."""

    ref: Annotated[Reference[Union["User", "Group"]] | None, Mutability.immutable] = Field(  # type: ignore[type-arg]
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The address of the person or group."""

    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User", "Group"])
    """Which of the two it is."""


class Group(Resource[Any]):
    """A group (RFC 7643 §4.2)."""

    __schema__ = URN(GROUP)

    display_name: Annotated[str | None, Required.true] = None
    """The name of the group."""

    members: list[Member] | None = None
    """Who is directly in it."""


def manager(value: Any) -> Any:  # noqa: ANN401  as it was sent
    """Return a manager as an object, where a client sent a list of one, or the id alone."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        return {"value": value} if value else None
    return value


Person = User[EnterpriseUser]
