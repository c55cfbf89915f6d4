"""The methods of the JSON-RPC interface, each judged for itself whenever it is called."""

from typing import Any, Final

from audit.spool import about
from authz.decisions.asked import action_named, person_named, server_named, tool_named
from authz.decisions.decide import decide
from authz.decisions.explain import explain as explained
from authz.decisions.membership import groups_of
from authz.decisions.names import fold
from authz.decisions.scopes import EXPLAIN, GROUPS_CHECK, GROUPS_READ
from authz.decisions.search import question_of
from authz.decisions.vocabulary import FOREVER, Decision, Principal, Question, Target, Where
from authz.edge.group_check import found_member
from authz.edge.recording import record, spool
from authz.errors import BadRequest, NotAllowed
from authz.formats.emails import find_email
from authz.lookups.provenance import told_with_sources
from authz.sockets.rpc.calls import Call, Method
from authz.sockets.rpc.tail import tail
from authz.sockets.rpc.topics import EVERYBODY, TOPICS

DIALECT: Final = "rpc"


def whoami(call: Call) -> dict[str, Any]:
    """Return who calls, by which credential, and when the connection will end."""
    held, who, person = call.held, call.who, call.person
    stands = held.standing
    return {
        "email": person.email,
        "id": person.uid,
        "name": person.name,
        "groups": sorted(call.world.groups[number].name for number in groups_of(call.world, person, call.at)),
        "credential": who.credential.partition(":")[0],
        "scopes": None if who.scopes is None else sorted(who.scopes),
        "expires": _moment(who.until),
        "connection": held.id,
        "ends": None if stands is None else {"at": _moment(stands.until), "reason": stands.closing.reason},
        "revision": call.revision,
    }


def authorize(
    call: Call, server: str, tool: str | None = None, action: str = "use", user: str | None = None
) -> dict[str, Any]:
    """Return whether the caller may do something to a server, and why; every answer is recorded.

    Without `tool` the server as a whole is meant; an empty one means what calls no tool. A server that nobody knows is
    a plain no. Asking for somebody else, from an address that is not known, needs the scope explain.
    """
    who, address = call.who, call.held.address
    if user is not None and (number := call.world.by_email.get(find_email(user))) != call.person.number:
        call.demand(EXPLAIN)
        # Their own credential is not known here, and ours limits what we may ask, not what they may do.
        who, address = Principal(number or 0, call.who.credential), ""
    target = Target(Where.SERVER, call.world.by_server_name.get(fold(server), 0))
    question = Question(who, action_named(action), target, call.at, tool_named(tool), address)
    decision = decide(question, call.world)
    if not target.server and decision.rule == "disabled_servers_are_closed":
        decision = decision._replace(code="unknown-server", reason="No server is called that.")
    _note(call, question, decision, server, user)
    return {
        "allowed": decision.allowed,
        "code": decision.code,
        "reason": decision.reason,
        "rule": decision.rule,
        "expires": _moment(decision.until),
        "revision": call.revision,
    }


def groups_check(call: Call, user_id: str, group_id: str) -> dict[str, Any]:
    """Return whether a person is in a group, at any depth; nobody and nothing that is unknown is in anything.

    It needs an API key with the scope groups:check; whoever shows a session or a token may ask about themselves.
    """
    if call.who.scopes is not None:
        call.demand(GROUPS_CHECK)
    elif call.world.by_email.get(find_email(user_id)) != call.person.number:
        raise NotAllowed(f"asking about others needs an API key with the scope {GROUPS_CHECK}")
    pair = (user_id, group_id)
    found = found_member(call.world, call.who, pair, at=call.at, address=call.held.address, dialect=DIALECT)
    record(about("", found.line), call.at)
    return {"is_member": found.member, "revision": call.revision}


def explain(  # noqa: PLR0913  one argument for each part of a question
    call: Call, *, person: str, server: str, tool: str | None = None, action: str = "use", address: str | None = None
) -> dict[str, Any]:
    """Return an answer and everything behind it, whatever the credential.

    Asking about others needs an API key with the scope explain; about oneself, without an address the one that one
    calls from is meant.
    """
    oneself = call.world.by_email.get(find_email(person)) == call.person.number
    if not oneself:
        call.demand(EXPLAIN)
    asked, wanted = person_named(call.world, person), server_named(call.world, server)
    question = question_of(
        asked.number,
        wanted.number,
        action=action_named(action),
        tool=tool_named(tool),
        at=call.at,
        address=(call.held.address if oneself else "") if address is None else address,
    )
    found = told_with_sources(explained(question, call.world), call.world)
    return {"person": asked.email, "server": wanted.name, **found, "revision": call.revision}


def subscribe(call: Call, topics: list[str]) -> dict[str, Any]:
    """Have the notification `changed` sent from now on, and return all that is followed.

    `me` is told when the caller's own groups, or what they reach, may have changed; `everybody`, which needs an API key
    with the scope groups:read, of whom to forget what is remembered. A copy that begins empty when this is
    answered, and forgets what it is told to, is never wrong for longer than a message takes.
    """
    _demand_known(topics)
    if EVERYBODY in topics:
        call.demand(GROUPS_READ)
    call.topics.follow(topics, call.who, call.world, call.at)
    return {"subscribed": sorted(call.topics.following), "revision": call.revision}


def unsubscribe(call: Call, topics: list[str]) -> dict[str, Any]:
    """Have no more of these sent, and return what is still followed."""
    _demand_known(topics)
    call.topics.leave(topics)
    return {"subscribed": sorted(call.topics.following), "revision": call.revision}


def _demand_known(topics: list[str]) -> None:
    if not topics or not set(topics) <= set(TOPICS):
        raise BadRequest(f"topics are one or more of {', '.join(TOPICS)}")


def _moment(at: float) -> float | None:
    """Return seconds since the epoch, or None for "never"."""
    return None if at == FOREVER else at


def _note(call: Call, question: Question, decision: Decision, server: str, user: str | None) -> None:
    """Record an answer: about whom, by whose credential, and the server's name as it was asked if nobody knows it."""
    known = call.world.servers.get(question.target.server)
    person = call.world.people.get(question.who.person) if question.who is not None else None
    spool().note(
        at=call.at,
        effect=decision.effect,
        rule=decision.rule,
        code=decision.code,
        person=person.email if person is not None else user or "",
        credential=call.who.credential,
        action=question.action,
        target=known.name if known is not None else server,
        tool=question.tool,
        address=call.held.address,
        url="",
        revision=call.world.revision,
        dialect=DIALECT,
    )


METHODS: Final[dict[str, Method]] = {
    "whoami": Method(whoami),
    "authorize": Method(authorize, positional=("server", "tool", "action")),
    "groups.check": Method(groups_check, positional=("user_id", "group_id")),
    "explain": Method(explain, slow=True),
    "subscribe": Method(subscribe, positional=("topics",)),
    "unsubscribe": Method(unsubscribe, positional=("topics",)),
    "audit.tail": Method(tail, slow=True),
}
"""What may be called, under which name."""
