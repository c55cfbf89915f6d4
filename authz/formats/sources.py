"""The settings of a directory, by kind: what they are called, what they may be, and what they are if nothing is said.

They are stored as JSON and read by `parse`; an error names every field that is wrong. Secrets are not among them.
"""

import re
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from authz.errors import InvalidName
from authz.formats import ldap

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
Attribute = Annotated[str, AfterValidator(ldap.parse_attribute)]
Filter = Annotated[str, AfterValidator(ldap.parse_filter)]
Dn = Annotated[str, AfterValidator(ldap.parse_dn)]
Share = Annotated[float, Field(ge=0, le=100)]


class _Settings(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        str_strip_whitespace=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,  # they are the help texts of the screens as well
    )


class Common(_Settings):
    """What every directory has: whom it may touch, and when it is stopped."""

    creates_people: bool = True
    """Whether somebody unknown becomes a person; otherwise they are reported and left out."""
    joins: Literal["never", "link", "adopt"] = "never"
    """What happens when somebody's e-mail is a person's whom another source owns: refused and reported; joined, so
    that memberships are added and nothing else is touched; or, where the person is local, taken over."""
    mirrors_groups: bool = True
    """Whether its groups become groups here; without it only rules give memberships."""
    group_prefix: str = Field("", max_length=50)
    """What the names of its groups begin with here."""
    most_share: Share = 10.0
    """Percent of its people whom one run may suspend, or of its memberships that it may remove, without approval."""
    most_number: int = Field(500, ge=0)
    """How many people one run may suspend at most without approval."""
    free_number: int = Field(5, ge=0)
    """As many may always be suspended, however few people there are."""
    most_changed_share: Share = 25.0
    """Percent of its people whose name or e-mail one run may change without approval."""


class LdapSettings(Common):
    """An LDAP server (RFC 4511): OpenLDAP, 389, or Active Directory."""

    urls: list[Annotated[str, AfterValidator(ldap.parse_server)]] = Field(min_length=1, max_length=10)
    """One per line, tried in order: ldaps://host[:636], or ldap://host[:389], which is upgraded by StartTLS (RFC 4511
    §4.14)."""
    tls: Literal["verify", "none"] = "verify"
    """Without it only to a server on this machine, or where passwords may travel in the clear."""
    insecure: bool = False
    """Allows a server elsewhere to be asked without TLS, and whoever listens to learn every password. Do not."""
    ca: str = ""
    """In PEM, by which the server's certificate is verified; empty for the authorities that this system trusts."""
    flavour: Literal["openldap", "ad"] = "openldap"
    """For Active Directory userAccountControl and accountExpires tell who is disabled, and uSNChanged what changed."""
    bind_dn: str = ""
    """The DN, or for Active Directory the name, that Gatehouse reads with; empty to read as nobody."""
    people_base: Dn = Field(min_length=1)
    """The DN below which people are looked for, such as ou=people,dc=example,dc=com."""
    people_filter: Filter = "(objectClass=inetOrgPerson)"
    """What tells people from other entries (RFC 4515)."""
    groups_base: str = ""
    """The DN below which groups are looked for; empty reads no groups."""
    groups_filter: Filter = "(objectClass=groupOfNames)"
    """What tells groups from other entries."""
    id_attribute: Attribute = "entryUUID"
    """By what an entry is known for ever: entryUUID, objectGUID for Active Directory, nsUniqueId for 389. One that
    people may write themselves makes them whomever they like."""
    email_attribute: Attribute = "mail"
    """Where the e-mail stands."""
    name_attribute: Attribute = "cn"
    """Where the name stands that others are shown."""
    login_attributes: list[Attribute] = Field(default=["mail", "uid"], min_length=1)
    """What somebody may type to sign in, one per line; sAMAccountName or userPrincipalName for Active Directory."""
    group_name_attribute: Attribute = "cn"
    """Where the name of a group stands."""
    member_attribute: Attribute = "member"
    """Where a group holds the DNs of its members."""
    kept_attributes: list[Attribute] = []
    """Read as well, for rules; one per line."""
    disabled_attribute: str = ""
    """Whoever has it with one of the values below is disabled; for Active Directory it is not needed."""
    disabled_values: list[str] = ["TRUE"]
    """One per line; * stands for any value."""
    in_chain: bool = False
    """At sign-in, ask Active Directory itself for groups at any depth (1.2.840.113556.1.4.1941)."""
    page: int = Field(500, ge=10, le=1000)
    """Servers allow 500 or 1,000."""
    patience: float = Field(30.0, ge=1, le=600)
    """After as long without an answer, a read has failed."""
    every_minutes: int = Field(15, ge=1)
    """How often it is read for what changed."""
    full_every_hours: int = Field(24, ge=1)
    """How often everything is read, and so how long somebody who was deleted there may stay."""

    @property
    def keeps_ids(self) -> bool:
        """Whether the server itself sees to it that no two entries have one id, and that nobody writes it."""
        return self.id_attribute.lower() in {"entryuuid", "objectguid", "nsuniqueid"}

    @field_validator("ca")
    @classmethod
    def _certificates(cls, pem: str) -> str:
        return ldap.parse_authorities(pem) if pem else pem

    @field_validator("groups_base")
    @classmethod
    def _folder(cls, dn: str) -> str:
        return ldap.parse_dn(dn) if dn else dn

    @field_validator("disabled_attribute")
    @classmethod
    def _attribute(cls, name: str) -> str:
        return ldap.parse_attribute(name) if name else name

    @model_validator(mode="after")
    def _together(self) -> "LdapSettings":
        elsewhere = [url for url in self.urls if urlsplit(url).hostname not in LOOPBACK]
        if self.tls == "none" and elsewhere and not self.insecure:
            message = f"without TLS, passwords would travel to {elsewhere[0]} in the clear"
            raise _beside("tls", message)
        if self.bind_dn and self.flavour != "ad":
            try:
                ldap.parse_dn(self.bind_dn)
            except ValueError as error:
                raise _beside("bind_dn", str(error)) from None
        return self


def _beside(field: str, why: str) -> PydanticCustomError:
    """Return an error of several fields that stands beside one of them."""
    return PydanticCustomError("together", "{why}", {"field": field, "why": why})


RESERVED = frozenset({"acr_values", "client_id", "client_secret", "code_challenge", "code_challenge_method", "nonce"})
RESERVED |= {"redirect_uri", "request", "request_uri", "response_mode", "response_type", "scope", "state"}
"""Parameters of an authorization request (Core 1.0 §3.1.2.1) on which its safety rests."""


LABEL = 63
"""Characters of a part of a host's name (RFC 1035 §2.3.4)."""


class OidcSettings(Common):
    """An OpenID provider (OpenID Connect Core 1.0), found by its issuer (Discovery 1.0)."""

    issuer: str
    """Its address, exactly as it calls itself; everything else is found from there."""
    client_id: str = Field(min_length=1, max_length=300)
    """What it calls Gatehouse."""
    scopes: list[str] = ["openid", "profile", "email"]
    """What is asked for; add groups or offline_access where the provider wants that."""
    email_claim: str = "email"
    """The claim with the e-mail. Providers vouch for `email` alone: another claim is believed if it says the same, or
    if unverified e-mails are believed."""
    name_claim: str = "name"
    """The claim with the name that others are shown."""
    groups_claim: str = "groups"
    """In the ID token or in userinfo; empty for none."""
    kept_claims: list[str] = []
    """Read as well, for rules."""
    requires_verified_email: bool = True
    """Whether somebody is refused whose e-mail the provider does not call verified (email_verified, which is about the
    claim `email` and no other)."""
    algorithms: list[Literal["RS256", "PS256", "ES256", "ES384", "EdDSA"]] = ["RS256", "ES256", "EdDSA"]
    extra_parameters: dict[str, str] = {}
    """Sent along when somebody is led there, such as prompt=consent or hd=example.com."""
    required_acr: list[str] = []
    """If not empty, the ID token's acr must be one of these."""
    recheck_minutes: int = Field(15, ge=1, le=10_080)
    """How often a session is checked again at the provider, if it gave a refresh token."""

    @field_validator("issuer")
    @classmethod
    def _https(cls, issuer: str) -> str:
        parts = urlsplit(issuer)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            message = f"{issuer!r} is not an https address"
            raise ValueError(message)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or parts.fragment:
            message = f"{issuer!r} is not an issuer like https://login.example.com (no query, no fragment)"
            raise ValueError(message)
        labels = parts.hostname.removesuffix(".").split(".")
        readable = re.fullmatch(r"[\x21-\x7e]+", issuer)
        if parts.port == 0 or not readable or any(not 0 < len(label) <= LABEL for label in labels):
            message = f"{issuer!r} names no host that there could be"
            raise ValueError(message)
        return issuer

    @field_validator("extra_parameters")
    @classmethod
    def _harmless(cls, extra: dict[str, str]) -> dict[str, str]:
        if taken := RESERVED & extra.keys():
            message = f"{', '.join(sorted(taken))} is not for the settings to say"
            raise ValueError(message)
        return extra

    @field_validator("scopes")
    @classmethod
    def _openid(cls, scopes: list[str]) -> list[str]:
        if "openid" not in scopes or any(not re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]+", each) for each in scopes):
            message = "the scopes hold openid, and no spaces or quotes (RFC 6749 §3.3)"
            raise ValueError(message)
        return scopes


class ScimSettings(Common):
    """A client that pushes people and groups (RFC 7644)."""


NAME = re.compile(r"(?=.{1,40}$)[a-z0-9]+(?:-[a-z0-9]+)*")
"""What a directory may be called."""

KINDS: dict[str, type[Common]] = {"ldap": LdapSettings, "oidc": OidcSettings, "scim": ScimSettings}
Kind = TypeVar("Kind", bound=Common)


def parse(kind: str, given: dict[str, Any]) -> Common:
    """Return the settings of a directory of this kind; InvalidName names every field that is wrong, and why."""
    return read(KINDS[kind], given)


def read(kind: type[Kind], given: dict[str, Any]) -> Kind:
    """Return settings of this class; InvalidName names every field that is wrong, and why."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise InvalidName("; ".join(f"{field}: {why}" for field, why in wrong(error))) from None


def wrong(error: ValidationError) -> list[tuple[str, str]]:
    """Return each field that is wrong, with the reason in words."""
    return [
        (
            ".".join(str(part) for part in each["loc"]) or str(each.get("ctx", {}).get("field", "settings")),
            each["msg"].removeprefix("Value error, "),
        )
        for each in error.errors(include_input=False, include_url=False)
    ]
