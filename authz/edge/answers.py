"""The answer to a proxy: a status, the identity headers (always all of them), and nothing an intermediary may keep."""

from typing import Final, NamedTuple

from django.conf import settings

from authz.decisions.facts import PersonIs
from authz.decisions.membership import standing
from authz.decisions.vocabulary import FOREVER
from authz.decisions.world import World
from authz.formats import header, revision

NOBODY: Final = 0
"""The number of no person."""
Pairs = tuple[tuple[bytes, bytes], ...]

FAMILIES: Final = {
    "x-user": ("X-User-Email", "X-User-Id", "X-User-Name", "X-User-Groups"),
    "remote": ("Remote-Email", "Remote-User", "Remote-Name", "Remote-Groups"),
    "x-auth-request": (
        "X-Auth-Request-Email",
        "X-Auth-Request-User",
        "X-Auth-Request-Preferred-Username",
        "X-Auth-Request-Groups",
    ),
}
"""Header names for e-mail, identifier, name and groups; what each product calls "user" is told in docs/validate.md."""


REASONS: Final = {
    200: b"200 OK",
    302: b"302 Found",
    303: b"303 See Other",
    400: b"400 Bad Request",
    401: b"401 Unauthorized",
    403: b"403 Forbidden",
    404: b"404 Not Found",
    405: b"405 Method Not Allowed",
    413: b"413 Content Too Large",
    431: b"431 Request Header Fields Too Large",
    503: b"503 Service Unavailable",
}


class Answer(NamedTuple):
    """What goes back: the headers in two parts, the identity's rendered once per World and the request's own."""

    status: int
    identity: bytes
    """Header lines, each ended by CR LF."""
    own: bytes = b""
    """Header lines, each ended by CR LF."""
    body: bytes = b""


def rendered(answer: Answer, *, head_only: bool, last: bool) -> bytes:
    """Return an answer as HTTP/1.1 (RFC 9112 §4)."""
    return b"HTTP/1.1 %b\r\n%b%b%bContent-Length: %d\r\n\r\n%b" % (
        REASONS[answer.status],
        answer.identity,
        answer.own,
        b"Connection: close\r\n" if last else b"",
        len(answer.body),
        b"" if head_only else answer.body,
    )


def pairs(lines: bytes) -> list[tuple[bytes, bytes]]:
    """Return header lines as pairs, names in lower case (as ASGI wants them)."""
    found = []
    for line in lines.split(b"\r\n")[:-1]:
        name, _, value = line.partition(b": ")
        found.append((name.lower(), value))
    return found


def identity_lines(world: World, person: PersonIs, at: float) -> bytes:
    """Return the identity headers of somebody at an instant."""
    groups, since, until = standing(world, person, at)
    known: tuple[float, float, bytes] | None = world.memory.identities.get(person.number)
    if known is not None and known[0] <= at < known[1]:
        return known[2]
    names = [world.groups[number].name for number in groups if number in world.groups]
    listed, truncated = header.encode_list(names, limit=settings.AUTHZ_GROUPS_HEADER_LIMIT)
    lines = _lines(
        world, header.encode(person.email), person.uid, header.encode(person.name), listed, truncated=truncated
    )
    world.memory.identities.keep(person.number, (since, until, lines))
    return lines


def nobody_lines(world: World) -> bytes:
    """Return the identity headers, all empty, so that a proxy overwrites whatever a client sent."""
    known: bytes | None = world.memory.identities.get(NOBODY)
    if known is None:
        known = _lines(world, "", "", "", "", truncated=False)
        world.memory.identities.keep(NOBODY, known)
    return known


def _lines(  # noqa: PLR0913  what there is to say of somebody
    world: World | None, email: str, uid: str, name: str, groups: str, *, truncated: bool
) -> bytes:
    lines = []
    for family in settings.AUTHZ_IDENTITY_HEADERS:
        values = {"x-user": (email, uid, name, groups)}.get(family, (email, email, name, groups))
        lines += [f"{title}: {value}" for title, value in zip(FAMILIES[family], values, strict=True)]
    lines.append(f"X-User-Groups-Truncated: {int(truncated)}")
    lines.append(f"Authz-Revision: {revision.make(world.epoch, world.revision) if world else ''}")
    lines.append("Cache-Control: no-store")
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def unknown_lines() -> bytes:
    """Return the identity headers where there is not even a World."""
    return _lines(None, "", "", "", "", truncated=False)


def expires_line(until: float) -> bytes:
    """Return X-Auth-Expires: when the allowance ends, in whole seconds since the epoch; empty for never."""
    return b"X-Auth-Expires: \r\n" if until == FOREVER else b"X-Auth-Expires: %d\r\n" % until
