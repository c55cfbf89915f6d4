"""Trusted issuers: trust, change, switch, remove."""

import json
from typing import Any
from urllib.parse import urlsplit

from audit import events
from audit.context import Actor
from authz.changes.change import change
from authz.changes.edits import assign, differences
from authz.decisions.facts import IssuerGone
from authz.errors import Conflict, InvalidName
from authz.formats.jwk_sets import parse_jwk_set
from authz.lookups import facts
from authz.models import Issuer

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a public key; a shared secret (HS…) and `none` are never accepted."""


def trust(*, by: Actor, **wanted: Any) -> Issuer:  # noqa: ANN401  fields of the row, by name
    """Accept the JWTs of an issuer from now on; InvalidName or Conflict says why not."""
    with change(by) as draft:
        issuer = Issuer(**_checked(wanted))
        _refuse_taken({"issuer": issuer.issuer, "name": issuer.name})
        issuer.save()
        draft.say(events.IssuerTrusted(issuer=issuer.issuer, name=issuer.name), facts.issuer(issuer))
    return issuer


def edit(issuer: Issuer, /, *, by: Actor, **wanted: Any) -> Issuer:  # noqa: ANN401  fields of the row, by name
    """Change what is expected of an issuer's tokens, or switch it on or off."""
    with change(by) as draft:
        issuer = Issuer.objects.get(pk=issuer.pk)
        held = {
            name: getattr(issuer, name) for name in ("issuer", "audiences", "claim", "algorithms", "jwks_url", "jwks")
        }
        checked = _checked(held | wanted)
        wanted = {name: checked[name] for name in wanted}
        if not (changes := differences(issuer, wanted)):
            return issuer
        _refuse_taken({name: wanted[name] for name in ("issuer", "name") if name in changes})
        before = issuer.issuer
        assign(issuer, wanted)
        switched = changes.pop("enabled", None)
        if changes:
            draft.say(events.IssuerChanged(issuer=before, changes=changes), facts.issuer(issuer))
        if switched is not None:
            kind = events.IssuerEnabled if issuer.enabled else events.IssuerDisabled
            draft.say(kind(issuer=issuer.issuer), facts.issuer(issuer))
    return issuer


def remove(issuer: Issuer, *, by: Actor) -> None:
    """Refuse an issuer's tokens from the next request on, and forget it."""
    with change(by) as draft:
        if Issuer.objects.filter(pk=issuer.pk).delete()[0]:
            draft.say(events.IssuerRemoved(issuer=issuer.issuer), IssuerGone(issuer.pk))


def is_safe_address(url: str) -> bool:
    """Return whether nobody on the way can answer for an address: https, or this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}


def _refuse_taken(wanted: dict[str, str]) -> None:
    for name, value in wanted.items():
        if Issuer.objects.filter(**{name: value}).exists():
            message = f"{value} is a trusted issuer already"
            raise Conflict(message)


def _checked(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the fields in their one spelling; what is missing or unsafe is named."""
    audiences = [audience.strip() for audience in wanted.get("audiences", []) if audience.strip()]
    algorithms = list(wanted.get("algorithms", ["RS256", "ES256", "EdDSA"]))
    url, jwks = wanted.get("jwks_url", "").strip(), wanted.get("jwks", "").strip()
    if not wanted["issuer"].strip():
        message = "an issuer has no name for its iss claim"
        raise InvalidName(message)
    if not audiences:
        message = "name at least one audience: a token meant for somebody else must not open anything here"
        raise Conflict(message)
    if unknown := sorted(set(algorithms) - set(ALGORITHMS)) or (not algorithms and ["none given"]):
        message = f"not an accepted signature algorithm: {', '.join(unknown)}"
        raise InvalidName(message)
    if bool(url) == bool(jwks):
        message = "give either the address of the issuer's keys or the keys themselves"
        raise Conflict(message)
    if url and not is_safe_address(url):
        message = f"{url} is not https; keys fetched in the clear could be anybody's"
        raise InvalidName(message)
    if jwks:
        jwks = json.dumps(parse_jwk_set(jwks))
    return wanted | {
        "issuer": wanted["issuer"].strip(),
        "audiences": audiences,
        "algorithms": algorithms,
        "jwks_url": url,
        "jwks": jwks,
    }
