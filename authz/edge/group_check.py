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
from authz.decisions.membership import member_until
from authz.decisions.names import fold
from authz.decisions.scopes import GROUPS_CHECK
from authz.decisions.vocabulary import FOREVER, Principal
from authz.decisions.world import World
from authz.edge.answers import Answer
from authz.edge.presented import presented_by
from authz.edge.recording import Record, record
from authz.edge.remembered import Judged, Recalled, name_of_check, recall
from authz.edge.request import Request
from authz.errors import AuthzError, BadCredential, BadRequest, Behind, Unavailable
from authz.formats import revision
from authz.formats.emails import find_email
from authz.lookups.current import CURRENT, current_world
from authz.problems import extra_headers, status_and_code

log = logging.getLogger(__name__)

MOST_CHECKS: Final = 1000
JSON: Final = b"Content-Type: application/json\r\nCache-Control: no-store\r\n"


class Found(NamedTuple):
    """Whether somebody is in a group, until when that holds in its World, and what is written of it."""

    member: bool
    until: float
    line: str


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
    name = name_of_check(request)
    if (known := recall(world.memory.checks, name, at)) is not None:
        record(about("", known.line), at)
        request.recalled = Recalled(world, known, "")
        return known.answer
    try:
        who = service(presented_by(request), world, at, scope=GROUPS_CHECK)
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
        answer = _answer(world, {"is_member": found.member})
        kind, _, number = who.credential.partition(":")
        if name is not None and kind == "key":
            until = min(found.until, who.until)
            world.memory.checks.keep(name, Judged(answer, found.line, at, until, USAGE.key_used, int(number)))
        return answer
    checks = body["checks"]
    if not isinstance(checks, list) or len(checks) > MOST_CHECKS:
        message = f"checks must be a list of at most {MOST_CHECKS}"
        raise BadRequest(message)
    pairs = [_pair(item) for item in checks]
    all_found = [found_member(world, who, pair, at=at, address=request.peer, dialect="api") for pair in pairs]
    for found in all_found:
        record(about("", found.line), at)
    return _answer(world, {"results": [{"is_member": found.member} for found in all_found]})


def _answer(world: World, said: dict[str, Any]) -> Answer:
    mark = revision.make(world.epoch, world.revision)
    return Answer(200, JSON, b"Authz-Revision: %s\r\n" % mark.encode(), json.dumps(said | {"revision": mark}).encode())


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
    until = None
    if number is not None and wanted is not None:
        until = member_until(world, world.people[number], wanted, at)
    line = prepared(
        effect="deny" if until is None else "allow",
        rule="groups_check",
        code="no-member" if until is None else "member",
        person=user,
        credential=who.credential,
        action="groups.check",
        target=group,
        tool=None,
        address=address,
        revision=world.revision,
        dialect=dialect,
    )
    # Memberships end, and do not begin without a change: a no holds as long as its World.
    return Found(until is not None, FOREVER if until is None else until, line)


def _problem(error: AuthzError) -> Answer:
    status, code = status_and_code(error)
    own = "".join(f"{name}: {value}\r\n" for name, value in extra_headers(status).items())
    return Answer(status, JSON, own.encode(), json.dumps({"error": code, "detail": str(error)}).encode())
