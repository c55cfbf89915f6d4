"""What a provider says of somebody: each claim checked, used, known and ignored, or unknown and then reported."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from authz.decisions.names import lowered
from authz.directory.observed import ObservedGroup, ObservedPerson, Problem
from authz.errors import NotAllowed
from authz.formats.claims import is_true
from authz.formats.sources import OidcSettings

CHECKED = frozenset(
    {"iss", "aud", "azp", "exp", "iat", "nbf", "nonce", "at_hash", "acr", "email_verified"}
    | {"_claim_names", "_claim_sources"}
)
"""A token is refused for what these say; the last two, because groups may be told elsewhere (Core 1.0 §5.6.2)."""
USED = frozenset({"sub", "sid", "amr"})
"""Used by themselves; others are by what the settings name."""
IGNORED = frozenset(
    {"auth_time", "jti", "c_hash", "s_hash", "rat", "updated_at", "session_state"}
    | {"name", "email", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile"}
    | {"picture", "website", "gender", "birthdate", "zoneinfo", "locale", "phone_number", "phone_number_verified"}
    | {"address"}  # Core 1.0 §5.1
    | {"typ", "allowed-origins", "realm_access", "resource_access", "scope"}  # Keycloak
    | {"aio", "idp", "oid", "rh", "tid", "uti", "ver", "upn", "unique_name", "login_hint", "wids", "xms_tdbr"}  # Entra
    | {"hd"}  # Google
)
"""Known, and of no use here."""
UNKNOWN = "unknown_claims"
"""The attribute under which the names of the others are kept, so that an administrator finds them."""
MOST = 5000
"""Groups of one person, and values of one attribute."""
VOUCHED_FOR = "email"
"""The one claim that email_verified is about."""
LONGEST = 255
"""Characters of the name of a group, and of a value."""


class Told(NamedTuple):
    """What was said of somebody, in our words."""

    person: ObservedPerson
    groups: dict[str, ObservedGroup]
    problems: tuple[Problem, ...]
    unknown: frozenset[str]


def lacks(claims: Mapping[str, Any], settings: OidcSettings) -> bool:
    """Return whether something that is mapped is not in an ID token, so that userinfo is worth asking."""
    mapped = [settings.email_claim, settings.name_claim, settings.groups_claim, *settings.kept_claims]
    if any(_find(claims, name) is None for name in mapped if name):
        return True
    return settings.requires_verified_email and not {VOUCHED_FOR, "email_verified"} <= claims.keys()


def told(claims: Mapping[str, Any], userinfo: Mapping[str, Any], settings: OidcSettings) -> Told:
    """Return what an ID token and userinfo say; NotAllowed if they say nothing that we may believe of an e-mail.

    What the token says goes first: it is signed.
    """
    subject = claims["sub"]
    problems: list[Problem] = []
    keys = _groups(claims, userinfo, settings, problems)
    unknown = unknown_of(claims, settings) | unknown_of(userinfo, settings)
    attributes = {}
    for name in settings.kept_claims:
        values = tuple(_values(_first(claims, userinfo, name)))
        attributes[name.lower()] = tuple(each for each in values if _is_clean(each))
        if len(attributes[name.lower()]) < len(values):
            problems.append(Problem(subject, f"some of the claim {name} is too long, or has control characters"))
    if unknown:
        attributes[UNKNOWN] = tuple(sorted(each for each in unknown if _is_clean(each)))[:100]
    name = _first(claims, userinfo, settings.name_claim)
    person = ObservedPerson(
        key=subject,
        email=_email(claims, userinfo, settings),
        name=" ".join(name.split())[:LONGEST] if isinstance(name, str) and name.isprintable() else "",
        attributes=attributes,
        groups=keys,
    )
    groups = {key: ObservedGroup(key=key, name=key) for key in keys or ()}
    return Told(person, groups, tuple(problems), unknown)


def unknown_of(claims: Mapping[str, Any], settings: OidcSettings) -> frozenset[str]:
    """Return the claims that nobody here has ever thought about."""
    mapped = {settings.email_claim, settings.name_claim, settings.groups_claim, *settings.kept_claims}
    mapped |= {name.partition(".")[0] for name in mapped}
    return frozenset(claims) - CHECKED - USED - IGNORED - mapped


def texts(value: object) -> list[str]:
    """Return a claim that is a list of texts, such as amr (Core 1.0 §2); what is none of them is left out."""
    return [each for each in value if isinstance(each, str) and _is_clean(each)] if isinstance(value, list) else []


def _email(claims: Mapping[str, Any], userinfo: Mapping[str, Any], settings: OidcSettings) -> str:
    """Return the e-mail; what vouches for it is about the claim `email` alone (Core 1.0 §5.1)."""
    name = settings.email_claim
    if not settings.requires_verified_email:
        return _address(next((each for each in (claims, userinfo) if name in each), {}).get(name))
    verified = _address(_verified(claims, userinfo))
    if name == VOUCHED_FOR:
        return verified
    email = _address(next((each for each in (claims, userinfo) if name in each), {}).get(name))
    if lowered(email) != lowered(verified):
        message = f"your {name} is not the e-mail address that is verified there"
        raise NotAllowed(message)
    return email


def _verified(claims: Mapping[str, Any], userinfo: Mapping[str, Any]) -> object:
    """Return the claim `email`; with it, whether it is verified is taken from the same place, and from no other."""
    places = [each for each in (claims, userinfo) if VOUCHED_FOR in each]
    # The first place that speaks of it decides.
    speaking = [each for each in places if "email_verified" in each]
    if places and (not speaking or not is_true(speaking[0]["email_verified"])):
        message = "your e-mail address is not verified there"
        raise NotAllowed(message)
    return speaking[0][VOUCHED_FOR] if speaking else None


def _address(email: object) -> str:
    if not isinstance(email, str) or not email.strip() or not email.isprintable():
        message = "it told no e-mail address of yours"
        raise NotAllowed(message)
    return email


def _groups(
    claims: Mapping[str, Any], userinfo: Mapping[str, Any], settings: OidcSettings, problems: list[Problem]
) -> frozenset[str] | None:
    """Return the groups; None if the provider says that they are too many to tell, or tells them in no known form."""
    name, subject = settings.groups_claim, claims["sub"]
    if not name:
        return None
    value = _first(claims, userinfo, name)
    if value is None:
        # Entra leaves out more than 200 groups and says where to ask (Core 1.0 §5.6.2): that is not "none".
        elsewhere = [place.get("_claim_names") for place in (claims, userinfo)]
        if any(isinstance(each, dict) and name in each for each in elsewhere):
            problems.append(Problem(subject, f"the claim {name} was too long to be sent; the groups stay as they were"))
            return None
        return frozenset()
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list):
        problems.append(Problem(subject, f"the claim {name} is not a list; the groups stay as they were"))
        return None
    good = [each.strip() for each in found[:MOST] if isinstance(each, str) and each.strip() and _is_clean(each)]
    if len(good) < len(found):
        what = f"of {len(found)} groups in the claim {name}, {len(found) - len(good)} cannot be taken over"
        problems.append(Problem(subject, what))
    return frozenset(good)


def _first(claims: Mapping[str, Any], userinfo: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401  whatever it is
    found = _find(claims, name)
    return _find(userinfo, name) if found is None else found


def _find(said: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401  whatever it is
    """Return a claim by its name, or by a path through objects, such as realm_access.roles."""
    if not name or name in said:
        return said.get(name)
    inside: object = said
    for part in name.split("."):
        inside = inside.get(part) if isinstance(inside, Mapping) else None
    return inside


def _values(value: object) -> Iterator[str]:
    """Return a claim as texts; objects are no value that a rule could look at."""
    for each in (value if isinstance(value, list) else [value])[:MOST]:
        if isinstance(each, bool):
            yield "true" if each else "false"
        elif isinstance(each, str | int | float):
            yield str(each)


def _is_clean(text: str) -> bool:
    return len(text) <= LONGEST and text.isprintable()
