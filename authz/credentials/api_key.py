"""API keys, shown as a Bearer token or in X-API-Key."""

from authz.credentials.contract import Presented
from authz.credentials.usage import USAGE
from authz.decisions.facts import KeyIs
from authz.decisions.vocabulary import FOREVER, Principal
from authz.decisions.world import World
from authz.errors import BadCredential
from authz.formats import api_key

REFUSED = "this API key is unknown, expired or revoked"


def read(presented: Presented, world: World, at: float) -> Principal | None:
    """Return the owner of a key with the key's limits; BadCredential for anything that only looks like one."""
    shown = [text for text in (presented.api_key, presented.bearer) if text.startswith(api_key.MARK)]
    if not shown:
        return None
    text = shown[0]
    if len(set(shown)) > 1:
        message = "two different API keys were presented"
        raise BadCredential(message)
    if not api_key.is_well_formed(text):
        message = "this API key is mistyped: its checksum does not fit"
        raise BadCredential(message)
    held = world.keys.get(api_key.digest(text))
    if held is None or (held.until is not None and at >= held.until):
        raise BadCredential(REFUSED)
    USAGE.key_used(held.number, at)
    return Principal(
        held.person, f"key:{held.number}", frozenset(held.scopes), FOREVER if held.until is None else held.until
    )


def anchor(who: Principal, number: int, world: World) -> KeyIs | None:
    """Return the key that a principal rests on, or None if it was revoked."""
    held = world.keys.get(world.key_digests.get(number, ""))
    return held if held is not None and held.person == who.person else None


def renewed(who: Principal, anchored: KeyIs, _first: KeyIs) -> Principal:
    """Return the principal with the limits that the key has now."""
    until = FOREVER if anchored.until is None else anchored.until
    return who._replace(scopes=frozenset(anchored.scopes), until=until)
