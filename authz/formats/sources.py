"""The settings of a directory, by kind: what they are called, what they may be, and what they are if nothing is said.

They are stored as JSON and read by `parse`; an error names every field that is wrong. Secrets are not among them.
"""

import re
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from authz.errors import InvalidName

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
Attribute = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9;._-]{0,99}$")]
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

    urls: list[str] = Field(min_length=1, max_length=10)
    """ldaps://host[:636] or ldap://host[:389], tried in order; ldap:// is upgraded by StartTLS (RFC 4511 §4.14)."""
    tls: Literal["verify", "none"] = "verify"
    """none only for a server on this machine, or with `insecure`."""
    insecure: bool = False
    """Passwords travel in the clear to a server elsewhere. Do not."""
    ca: str = ""
    """PEM certificates by which the server's is verified; empty for the system's."""
    flavour: Literal["openldap", "ad"] = "openldap"
    """What kind of server it is: ad for Active Directory, openldap for all others."""
    bind_dn: str = ""
    """The DN, or for Active Directory the name, that Gatehouse reads with."""
    people_base: str = Field(min_length=1)
    """The DN below which people are looked for, such as ou=people,dc=example,dc=com."""
    people_filter: str = "(objectClass=inetOrgPerson)"
    """What tells people from other entries (RFC 4515)."""
    groups_base: str = ""
    """Empty reads no groups."""
    groups_filter: str = "(objectClass=groupOfNames)"
    """What tells groups from other entries."""
    id_attribute: Attribute = "entryUUID"
    """By what an entry is known for ever: entryUUID, or objectGUID for Active Directory."""
    email_attribute: Attribute = "mail"
    """The attribute with the e-mail."""
    name_attribute: Attribute = "cn"
    """The attribute with the name that others are shown."""
    login_attributes: list[Attribute] = Field(default=["mail", "uid"], min_length=1)
    """What somebody may type to sign in; sAMAccountName or userPrincipalName for Active Directory."""
    group_name_attribute: Attribute = "cn"
    """The attribute with the name of a group."""
    member_attribute: Attribute = "member"
    """The attribute of a group that holds the DNs of its members."""
    kept_attributes: list[Attribute] = []
    """Read as well, for rules."""
    disabled_attribute: str = ""
    """Whoever has it with one of the values below is disabled; for AD userAccountControl is judged by itself."""
    disabled_values: list[str] = ["TRUE"]
    """* stands for any value."""
    in_chain: bool = False
    """Ask AD itself for all groups of somebody who signs in (1.2.840.113556.1.4.1941)."""
    page: int = Field(500, ge=10, le=1000)
    """Entries that are asked for at once; servers allow 500 or 1,000."""
    patience: float = Field(30.0, ge=1, le=600)
    """Seconds without an answer after which a read has failed."""
    every_minutes: int = Field(15, ge=1)
    """How often it is read for what changed."""
    full_every_hours: int = Field(24, ge=1)
    """How often everything is read, and so how long somebody who was deleted there may stay."""

    @field_validator("urls")
    @classmethod
    def _reachable(cls, urls: list[str]) -> list[str]:
        for url in urls:
            parts = urlsplit(url)
            if parts.scheme not in {"ldap", "ldaps"} or not parts.hostname or parts.path.strip("/") or parts.query:
                message = f"{url!r} is not an address like ldaps://dc1.example.com"
                raise ValueError(message)
        return urls

    @model_validator(mode="after")
    def _in_the_clear(self) -> "LdapSettings":
        elsewhere = [url for url in self.urls if urlsplit(url).hostname not in LOOPBACK]
        if self.tls == "none" and elsewhere and not self.insecure:
            message = f"without TLS, passwords would travel to {elsewhere[0]} in the clear"
            raise ValueError(message)
        return self


RESERVED = frozenset({"acr_values", "client_id", "client_secret", "code_challenge", "code_challenge_method", "nonce"})
RESERVED |= {"redirect_uri", "request", "request_uri", "response_mode", "response_type", "scope", "state"}
"""Parameters of an authorization request (Core 1.0 §3.1.2.1) on which its safety rests."""


class OidcSettings(Common):
    """An OpenID provider (OpenID Connect Core 1.0), found by its issuer (Discovery 1.0)."""

    issuer: str
    """Its address, exactly as it calls itself; everything else is found from there."""
    client_id: str = Field(min_length=1, max_length=300)
    """What it calls Gatehouse."""
    scopes: list[str] = ["openid", "profile", "email"]
    """What is asked for; add groups or offline_access where the provider wants that."""
    email_claim: str = "email"
    """The claim with the e-mail."""
    name_claim: str = "name"
    """The claim with the name that others are shown."""
    groups_claim: str = "groups"
    """In the ID token or in userinfo; empty for none."""
    kept_claims: list[str] = []
    """Read as well, for rules."""
    requires_verified_email: bool = True
    """Whether somebody whose e-mail the provider does not call verified is refused."""
    algorithms: list[Literal["RS256", "PS256", "ES256", "ES384", "EdDSA"]] = ["RS256", "ES256", "EdDSA"]
    extra_parameters: dict[str, str] = {}
    """Sent along when somebody is led there, such as prompt=consent or hd=example.com."""
    required_acr: list[str] = []
    """If not empty, the ID token's acr must be one of these."""
    recheck_minutes: int = Field(15, ge=1)
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
        (".".join(str(part) for part in each["loc"]) or "settings", each["msg"].removeprefix("Value error, "))
        for each in error.errors(include_input=False, include_url=False)
    ]
