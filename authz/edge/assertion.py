"""X-Auth-Assertion: who the caller is, signed, so that an application need not trust its network (RFC 7519).

    {"alg": "EdDSA" or "ES256", "typ": "JWT", "kid": RFC 7638 thumbprint of the key}
    {"iss": PORTAL_URL, "aud": the server's name, "sub": uid, "email", "name", "groups": […], "iat", "exp", "rev"}

Groups that would not fit X-User-Groups are left out here too, and "groups_truncated" is then true: a proxy refuses an
answer whose headers are too long, and somebody in many groups would be shut out.

The public key is at /.well-known/gatehouse/jwks.json.
"""

import json
import time
import warnings
from typing import Any

from django.conf import settings
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OKPKey

from authz.decisions.membership import groups_of
from authz.decisions.vocabulary import FOREVER, Decision, Principal, Question
from authz.decisions.world import World
from authz.errors import Unavailable
from authz.formats import header, revision

# RFC 9864 would have it called Ed25519, which hardly any library can check yet.
warnings.filterwarnings("ignore", message="EdDSA is deprecated", category=SecurityWarning)

Key = OKPKey | ECKey
_keys: dict[str, Key] = {}


def signing_key() -> Key:
    """Return the private key of AUTHZ_ASSERTION_KEY; Unavailable if it is not one we can sign with."""
    pem = settings.AUTHZ_ASSERTION_KEY
    if (key := _keys.get(pem)) is None:
        key = _keys[pem] = _read(pem)
    return key


def _read(pem: str) -> Key:
    for kind in (OKPKey, ECKey):
        try:
            key = kind.import_key(pem)
        except (JoseError, ValueError, TypeError):
            continue  # of the other kind, or no key at all
        if key.is_private and key.curve_name in {"Ed25519", "P-256"}:
            return key
    message = "AUTHZ_ASSERTION_KEY is not a private Ed25519 or P-256 key in PEM form"
    raise Unavailable(message)


def algorithm(key: Key) -> str:
    """Return the JWS algorithm that a key signs with (RFC 8037, RFC 7518 §3.4)."""
    return "EdDSA" if isinstance(key, OKPKey) else "ES256"


def public_keys() -> bytes:
    """Return the JWK set (RFC 7517) that assertions are checked with."""
    keys = []
    if settings.AUTHZ_ASSERTION_KEY:
        key = signing_key()
        keys.append(key.as_dict(private=False) | {"kid": key.thumbprint(), "use": "sig", "alg": algorithm(key)})
    return json.dumps({"keys": keys}).encode()


def assertion_line(question: Question, decision: Decision, world: World) -> bytes:
    """Return the header line for an allowed question."""
    if question.who is None:
        return b""
    return _signed(question.who, question, decision, world)


def _signed(who: Principal, question: Question, decision: Decision, world: World) -> bytes:
    person = world.people[who.person]
    server = world.servers.get(question.target.server)
    issued, lifetime = int(time.time()), settings.AUTHZ_ASSERTION_LIFETIME
    expires = issued + lifetime if decision.until == FOREVER else min(issued + lifetime, int(decision.until))
    names = [world.groups[number].name for number in groups_of(world, person, question.at)]
    listed, truncated = header.encode_list(names, limit=settings.AUTHZ_GROUPS_HEADER_LIMIT)
    groups = [header.decode(name) for name in listed.split(",")] if listed else []
    claims: dict[str, Any] = {
        "iss": settings.PORTAL_URL,
        "aud": server.name if server else settings.PORTAL_URL,
        "sub": person.uid,
        "email": person.email,
        "name": person.name,
        "groups": groups,
        "iat": issued,
        "exp": expires,
        "rev": revision.make(world.epoch, world.revision),
    }
    if truncated:
        claims["groups_truncated"] = True
    key = signing_key()
    head = {"alg": algorithm(key), "typ": "JWT", "kid": key.thumbprint()}
    return f"X-Auth-Assertion: {jwt.encode(head, claims, key, algorithms=[algorithm(key)])}\r\n".encode()
