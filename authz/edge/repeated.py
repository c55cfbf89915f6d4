"""Answers requests that came before, byte for byte or but for their URL, without reading them again.

A proxy asks the same for the same caller again and again: an MCP client has one address, one credential and the same
few headers. What a request says follows from its bytes and from the connection that brought it, and what is judged of
it holds as `remembered` tells; so where both are known, the answer is. Whatever is not exactly as it was goes the long
way, and so does everything that fails here.

A browser asks for many URLs, and all else that it sends stays the same. The proxy tells a URL in a header of its own,
so a request that differs only in what stands between the name of that header and the end of its line says all the same
of another URL. That one is then read as any other, and judged if it leads to where the same was judged before.

Requests hold credentials, so they are remembered by a keyed hash: CPython's own (SipHash, 64 bits, under a key that is
drawn when the process starts), once of the bytes alone and once with a secret before them. Where Python hashes in
another way, or under a key that somebody chose, nothing is remembered.
"""

import os
import secrets
import sys
from hashlib import sha256
from typing import Final, NamedTuple

from audit.spool import Recurring, about
from authz.decisions.vocabulary import NO_TOOL
from authz.decisions.world import World
from authz.edge.answers import rendered
from authz.edge.leading import led_to
from authz.edge.mcp_headers import tool_asked
from authz.edge.remembered import Asker, Judged, Recalled, name_of, recall
from authz.errors import UnreadableUrl

_KEY: Final = secrets.token_bytes(32)


class Repeat(Recurring):
    """What a request is answered, what is written of it, and when that holds: all in one place in memory."""

    __slots__ = ("check", "noted", "number", "since", "until", "used", "whole")

    def __init__(self, check: int, judged: Judged, url: str) -> None:
        """Answer what was judged to whoever asks about a URL."""
        super().__init__(about(url, judged.line))
        self.check = check
        """The hash of the bytes with the connection's mark before them."""
        self.noted = 0.0
        """The moment, as one object, of the last note that the credential was used."""
        self.whole = rendered(judged.answer, head_only=False, last=False)
        self.since, self.until, self.used, self.number = judged.since, judged.until, judged.used, judged.number


TOLD_IN: Final = {"nginx": b"\r\nX-Original-URL: ", "forward-auth": b"\r\nX-Forwarded-Uri: "}
"""Where a proxy of each dialect tells the URL, or the path and query of it."""
LONGEST: Final = 16 * 1024
"""Bytes of a request that is taken apart."""
LONGEST_CALL: Final = 1500
"""Characters that such a request may say of the tool that it calls."""


class Apart(NamedTuple):
    """A request without its URL."""

    begin: int
    """Where its URL begins: what came before that byte, and after the URL, is what it was."""
    check: int
    """The hash of the rest with the connection's mark before it."""
    asker: Asker
    base: str
    """What stands before the text that is told, in the URL: nothing, or scheme and host."""


HASHES: Final = (
    sys.hash_info.algorithm.startswith("siphash")
    and sys.hash_info.width == 64  # noqa: PLR2004  bits
    and bool(sys.flags.hash_randomization)
    and (sys.flags.ignore_environment or os.environ.get("PYTHONHASHSEED", "random") in {"", "random"})
)
"""Whether Python's own hash is fit to know a request by."""


def mark_of(peer: str) -> bytes:
    """Return what the hash of every request of a connection begins with."""
    return sha256(_KEY + peer.encode()).digest()


def repeat(mark: bytes, data: bytes, recalled: Recalled) -> None:
    """Remember the answer to a request that came as `data` and nothing else, on a connection that stays open.

    Of one whose URL nobody asked about before, all but the URL is remembered.
    """
    if not HASHES:
        return
    if recalled.first is None:
        known = Repeat(hash(mark + data), recalled.judged, recalled.url)
        recalled.world.memory.repeats.keep(hash(data), known)
    else:
        _take_apart(mark, data, recalled.world, *recalled.first)


def _take_apart(mark: bytes, data: bytes, world: World, asker: Asker, url: str) -> None:
    told_in = TOLD_IN.get(asker.dialect)
    if told_in is None or len(data) > LONGEST or (begin := data.find(told_in)) < 0:
        return
    begin += len(told_in)
    end = data.find(b"\r\n", begin)
    if end < 0 or data.find(b"\r\n\r\n") < end:
        return  # it stands in the body
    text = data[begin:end].decode("latin-1")
    base = url.removesuffix(text)
    if not text or base.count("/") != (0 if asker.dialect == "nginx" else 2):
        return  # the header is not all of the URL, or all but its scheme and host
    if sum(map(len, asker.call)) > LONGEST_CALL:
        return
    rest = data[:begin] + data[end:]
    world.memory.apart.keep(hash(rest), Apart(begin, hash(mark + rest), asker, base))


def but_for_its_url(mark: bytes, data: bytes, world: World, at: float) -> Repeat | None:
    """Return what to answer a request of which all but the URL came before, if that was judged before; else None."""
    for told_in in TOLD_IN.values():
        if (begin := data.find(told_in)) >= 0:
            break
    else:
        return None
    begin += len(told_in)
    if (end := data.find(b"\r\n", begin)) < 0 or len(data) > LONGEST:
        return None
    rest = data[:begin] + data[end:]
    apart: Apart | None = world.memory.apart.get(hash(rest))
    if apart is None or apart.begin != begin or apart.check != hash(mark + rest):
        return None
    text = data[begin:end].decode("latin-1")
    asker = apart.asker
    if apart.base and text[:1] != "/":
        return None
    asked = apart.base + text
    again = asked in world.memory.urls
    try:
        target, url = led_to(world, asked)
        tool = tool_asked(asker.call, world, target.server, url) if target.server else NO_TOOL
    except UnreadableUrl:
        return None
    judged = recall(world, name_of(asker, target, tool), at)
    if judged is None:
        return None
    known = Repeat(hash(mark + data) if again else 0, judged, url.shown)
    if again:
        world.memory.repeats.keep(hash(data), known)
    return known
