"""Where a URL leads: to which server, in the one meaning that it has; remembered for as long as the World."""

from typing import Final

from authz.decisions.routing import target_of
from authz.decisions.vocabulary import Target, Where
from authz.decisions.world import World
from authz.edge.canonical import Url, read_url

LONGEST_REMEMBERED: Final = 512
"""Characters of a URL whose meaning is remembered; longer ones are rare, unless a stranger wants to fill our memory."""


def led_to(world: World, text: str) -> tuple[Target, Url]:
    """Return where a URL leads, and its one meaning; UnreadableUrl says why it has none or several."""
    known: tuple[Target, Url] | None = world.memory.urls.get(text)
    if known is not None:
        return known
    url = read_url(text)
    target = target_of(world, url.host, url.path)
    if url.raw_path is not url.path and target != target_of(world, url.host, url.raw_path):
        target = Target(Where.UNREADABLE, problem="The URL leads to different servers as sent and decoded.")
    known = target, url
    if len(text) <= LONGEST_REMEMBERED:
        world.memory.urls.keep(text, known)
    return known
