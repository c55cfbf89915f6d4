"""JWTs of trusted issuers (RFC 7519), shown as a Bearer token."""

import functools
import hashlib
import json
from typing import Any

from authz.credentials.contract import Presented, Unsettled
from authz.decisions.facts import IssuerIs
from authz.decisions.vocabulary import Principal
from authz.decisions.world import World
from authz.errors import BadCredential
from authz.formats.claims import ACCESS_TYPES, is_id_token, is_true, type_of
from authz.formats.emails import find_email
from authz.formats.signed_jwt import DOTS, check_limits, signed_claims, unverified_part
from authz.outbound.flights import FLIGHTS
from authz.outbound.key_sets import KEY_SETS, Keys

LONGEST = 32_768
"""Characters of a token; more is not a token but an attempt to keep us busy."""
REMEMBERED = 4096
"""Tokens whose signature was found good, kept so that it is checked once and not at each request."""

_verified: dict[bytes, tuple[IssuerIs, int, dict[str, Any]]] = {}


def read(presented: Presented, world: World, at: float) -> Principal | None:
    """Return the person a token names; None if it is not a JWT of an issuer we trust."""
    token = presented.bearer
    if token.count(".") != DOTS:
        return None
    unverified = unverified_part(token, 1)  # only to learn whose keys to check it with
    named = unverified.get("iss") if unverified else None
    issuer = world.issuers.get(named) if isinstance(named, str) else None
    if issuer is None:
        return None
    if len(token) > LONGEST:
        message = "this token is too long"
        raise BadCredential(message)
    claims = _signed_claims(token, issuer, at)
    _check_kind(token, claims, issuer)
    until = check_limits(claims, issuer=issuer.issuer, audiences=issuer.audiences, at=at)
    email = claims.get(issuer.claim)
    if not isinstance(email, str) or (number := world.by_email.get(find_email(email))) is None:
        message = "this token names nobody we know"
        raise BadCredential(message)
    if issuer.claim == "email" and "email_verified" in claims and not is_true(claims["email_verified"]):
        message = "this token's e-mail address is not verified"
        raise BadCredential(message)
    return Principal(number, f"jwt:{issuer.number}", None, until)


def _check_kind(token: str, claims: dict[str, Any], issuer: IssuerIs) -> None:
    """Raise BadCredential for a token of another kind than those that open something, whoever signed it."""
    if type_of(unverified_part(token, 0) or {}) not in ACCESS_TYPES or "events" in claims:
        message = "this token is of a kind that opens nothing"
        raise BadCredential(message)
    if is_id_token(claims) and not issuer.id_tokens:
        message = "this is an ID token, which its issuer's clients may not show here"
        raise BadCredential(message)


def _signed_claims(token: str, issuer: IssuerIs, at: float) -> dict[str, Any]:
    """Return the claims of a token whose signature is good by the issuer's present keys."""
    keys, generation = _keys_of(issuer, at)
    stale = bool(issuer.jwks_url) and KEY_SETS.is_stale(issuer.jwks_url, at)
    name = hashlib.sha256(token.encode("utf-8", "replace")).digest()
    known = _verified.get(name)
    if known is not None and known[0] is issuer and known[1] == generation and not stale:
        return known[2]
    unverified_header = unverified_part(token, 0) or {}
    kid = unverified_header.get("kid")
    if not isinstance(kid, str | None):
        message = "this token names its key by something other than a text"
        raise BadCredential(message)
    # The algorithm is the one our configuration allows and the key is of, never the one the token asks for.
    if unverified_header.get("alg") not in issuer.algorithms or "crit" in unverified_header:
        message = "this token is signed in a way its issuer may not use"
        raise BadCredential(message)
    unknown = not keys or (kid is not None and kid not in {key.get("kid") for key in keys})
    if stale and not unknown and KEY_SETS.has_failed(issuer.jwks_url):
        _fetch_beside(issuer, at)
    elif unknown or stale:
        _fetch_if_due(issuer, at)
    if unknown:
        message = "this token's key is not one of its issuer's"
        raise BadCredential(message)
    candidates = [key for key in keys if kid is None or key.get("kid") == kid]
    claims = signed_claims(token, candidates, issuer.algorithms)
    if claims is None:
        # The issuer may have another key under the same name by now, or one without a name.
        _fetch_if_due(issuer, at)
        message = "this token's signature is not its issuer's"
        raise BadCredential(message)
    if len(_verified) >= REMEMBERED:
        _verified.clear()
    _verified[name] = (issuer, generation, claims)
    return claims


def _keys_of(issuer: IssuerIs, at: float) -> tuple[Keys, int]:
    """Return the keys known now, pasted or fetched, and a number that changes whenever they do."""
    if issuer.jwks:
        return _pasted(issuer.jwks), 0
    held = KEY_SETS.peek(issuer.jwks_url, at)
    return (held.value, held.generation) if held is not None else ([], 0)


@functools.lru_cache(maxsize=256)
def _pasted(text: str) -> Keys:
    keys: Keys = json.loads(text)["keys"]
    return keys


def _fetch_if_due(issuer: IssuerIs, at: float) -> None:
    """Ask for a moment in which the keys are fetched, unless that was tried a moment ago."""
    url = issuer.jwks_url
    if url and KEY_SETS.may_fetch(url, at):
        raise Unsettled(lambda: KEY_SETS.refresh(url, at), address=url)


def _fetch_beside(issuer: IssuerIs, at: float) -> None:
    """Try to fetch keys while those that are held still count; a server that is down keeps nobody waiting."""
    url = issuer.jwks_url
    if KEY_SETS.may_fetch(url, at):
        FLIGHTS.begin(url, lambda: KEY_SETS.refresh(url, at))


def anchor(who: Principal, number: int, world: World) -> tuple[IssuerIs, str] | None:
    """Return the issuer that a principal rests on and the name it gave; None if it is no longer trusted."""
    person = world.people.get(who.person)
    held = next((issuer for issuer in world.issuers.values() if issuer.number == number), None)
    return None if held is None or person is None else (held, person.email)


def renewed(who: Principal, anchored: tuple[IssuerIs, str], first: tuple[IssuerIs, str]) -> Principal | None:
    """Return the principal if the issuer is trusted in the same way for the same name; the token itself is gone."""
    return who if anchored == first else None
