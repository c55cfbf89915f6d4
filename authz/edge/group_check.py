"""Answers `POST /api/v1/groups/check`, also at /api/check-group: whether a person is in a group.

    {"user_id": "alice@example.com", "group_id": "engineering"}
    200 {"is_member": true, "revision": "3f9c2a51.1042"}

    {"checks": [{"user_id": …, "group_id": …}, …]}          at most 1,000
    200 {"results": [{"is_member": true}, …], "revision": …}       in the order of the checks, from one World

The caller shows an API key with the scope groups:check. Unknown people and groups are false, for the services that
ask treat an error as an outage. Names match regardless of case and of space around them.
"""

import json
import logging
import time
from typing import Any, Final, NamedTuple

from audit.spool import about, prepared
from authz.credentials import Unsettled, service
from authz.credentials.usage import USAGE
from authz.decisions.membership import standing
from authz.decisions.names import fold
from authz.decisions.scopes import GROUPS_CHECK
from authz.decisions.vocabulary import FOREVER, Principal
from authz.decisions.world import World
from authz.edge.answers import Answer
from authz.edge.presented import presented_by
from authz.edge.recording import Record, record
from authz.edge.remembered import Judged, Recalled, is_key, number_of, shown_by
from authz.edge.request import Request
from authz.errors import AuthzError, BadCredential, BadRequest, Behind, Unavailable
from authz.formats import revision
from authz.formats.emails import find_email
from authz.lookups.current import CURRENT, current_world
from authz.problems import extra_headers, status_and_code

log = logging.getLogger(__name__)

MOST_CHECKS: Final = 1000
LONGEST_REMEMBERED: Final = 1024
"""Characters written of a check that is remembered: names may be long, and need not be anybody's."""
JSON: Final = b"Content-Type: application/json\r\nCache-Control: no-store\r\n"


class Found(NamedTuple):
    """Whether somebody is in a group, what is written of it, and the span in which it holds: since ≤ at < until."""

    member: bool
    line: str
    since: float = -FOREVER
    until: float = FOREVER


def check(request: Request, *, settled: bool = False, record: Record = record) -> Answer:
    """Return the answer to a service; every failure is an error, and no error says that somebody is a member."""
    try:
        return _check(request, settled=settled, record=record)
    except Unsettled:
        raise
    except AuthzError as error:
        return _problem(error)
    except Exception:
        log.exception("group_check.failed")
        return _problem(Unavailable("the check could not be made"))


def _check(request: Request, *, settled: bool, record: Record) -> Answer:
    if request.problem:
        raise BadRequest(request.problem)
    at = time.time()
    world = current_world()
    try:
        who = _service(request, world, at)
    except Unsettled as error:
        if not settled:
            raise
        raise BadCredential(str(error)) from None
    # Only now: a demand may cost a look at the tables, which no stranger shall cause.
    refuse_if_behind(world, request.headers.get("authz-at-least", ""), settled=settled)
    body = _read(request.body)
    if "checks" not in body:
        found = found_member(world, who, _pair(body), at=at, address=request.peer, dialect="api")
        record(about("", found.line), at)
        answer = _answer(world, f'{{"is_member": {"true" if found.member else "false"}')
        # What is asked once takes no room; what is asked again in the same World will be asked often.
        if len(found.line) > LONGEST_REMEMBERED:
            return answer
        if (asked := hash(request.body)) in world.memory.checks:
            request.recalled = _recalled(world, who, found, answer)
        else:
            world.memory.checks.keep(asked, True)  # noqa: FBT003  a memo holds something
        return answer
    checks = body["checks"]
    if not isinstance(checks, list) or len(checks) > MOST_CHECKS:
        message = f"checks must be a list of at most {MOST_CHECKS}"
        raise BadRequest(message)
    pairs = [_pair(item) for item in checks]
    all_found = [found_member(world, who, pair, at=at, address=request.peer, dialect="api") for pair in pairs]
    for found in all_found:
        record(about("", found.line), at)
    return _answer(world, f'{{"results": {json.dumps([{"is_member": found.member} for found in all_found])}')


def _service(request: Request, world: World, at: float) -> Principal:
    """Return the holder of the key that is shown, which is verified once in each World."""
    shown, known = shown_by(request), world.memory.services
    who: Principal | None = known.get(shown)
    if who is not None and at < who.until:
        USAGE.key_used(number_of(who), at)
        return who
    who = service(presented_by(request), world, at, scope=GROUPS_CHECK)
    if is_key(who):
        known.keep(shown, who)
    return who


def _answer(world: World, said: str) -> Answer:
    mark = revision.make(world.epoch, world.revision)
    return Answer(200, JSON, f"Authz-Revision: {mark}\r\n".encode(), f'{said}, "revision": "{mark}"}}'.encode())


def _recalled(world: World, who: Principal, found: Found, answer: Answer) -> Recalled | None:
    if not is_key(who):
        return None
    until = min(found.until, who.until)
    return Recalled(world, Judged(answer, found.line, found.since, until, USAGE.key_used, number_of(who)), "")


def refuse_if_behind(world: World, demanded: str, *, settled: bool) -> None:
    """Raise Behind if the caller demands a newer World in Authz-At-Least; before that, give it a moment to come."""
    if not demanded:
        return
    if (wanted := revision.read(demanded)) is None:
        message = "Authz-At-Least is not a revision"
        raise BadRequest(message)
    epoch, number = wanted
    if world.epoch == epoch and world.revision >= number:
        return
    if not settled:
        raise Unsettled(CURRENT.look)
    message = f"this process knows revision {world.epoch}.{world.revision} and not {epoch}.{number}"
    raise Behind(message)


def _read(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        message = "the body is not JSON"
        raise BadRequest(message) from None
    if not isinstance(value, dict):
        message = "the body is not a JSON object"
        raise BadRequest(message)
    return value


def _pair(item: object) -> tuple[str, str]:
    if not isinstance(item, dict):
        message = "a check is an object with user_id and group_id"
        raise BadRequest(message)
    for name in ("user_id", "group_id"):
        if not isinstance(item.get(name), str):
            message = f"{name} must be a string"
            raise BadRequest(message)
    return item["user_id"], item["group_id"]


def found_member(  # noqa: PLR0913  what is asked, of whom, by whom, and how
    world: World, who: Principal, pair: tuple[str, str], *, at: float, address: str, dialect: str
) -> Found:
    """Return whether a person is in a group, given as the pair of their names; whoever asks records it."""
    user, group = pair
    number = world.by_email.get(find_email(user))
    wanted = world.by_group_name.get(fold(group))
    member, since, until = False, -FOREVER, FOREVER
    if number is not None and wanted is not None:
        person = world.people[number]
        groups, since, until = standing(world, person, at)
        member = person.active and wanted in groups  # somebody suspended is in none
    line = prepared(
        effect="allow" if member else "deny",
        rule="groups_check",
        code="member" if member else "no-member",
        person=user,
        credential=who.credential,
        action="groups.check",
        target=group,
        tool=None,
        address=address,
        revision=world.revision,
        dialect=dialect,
    )
    return Found(member, line, since, until)


def _problem(error: AuthzError) -> Answer:
    status, code = status_and_code(error)
    own = "".join(f"{name}: {value}\r\n" for name, value in extra_headers(status).items())
    return Answer(status, JSON, own.encode(), json.dumps({"error": code, "detail": str(error)}).encode())
