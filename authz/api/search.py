"""`GET /api/v1/search/people?server=…` and `/api/v1/search/servers?person=…`: who can reach this, what can they reach.

Both take `action`, `tool` and `address` like explain where they make sense. Results come in pages of at most 1,000
names; `after` continues behind the last one of the page before.
"""

from typing import Any

from authz.api.door import Call, answers, key
from authz.decisions.asked import action_named, person_named, server_named, tool_named
from authz.decisions.scopes import EXPLAIN
from authz.decisions.search import what_can, who_can
from authz.errors import BadRequest

PAGE = 1000


@answers(key(EXPLAIN))
def people(call: Call) -> dict[str, Any]:
    """Return the e-mail addresses of everybody who can reach a server."""
    asked = call.request.GET
    server = server_named(call.world, _needed(call, "server"))
    found = who_can(
        call.world,
        server.number,
        action=action_named(asked.get("action", "use")),
        tool=tool_named(asked.get("tool")),
        at=call.at,
        address=asked.get("address", ""),
    )
    after = asked.get("after", "")
    rest = [person.email for person in found if person.email > after]
    return {"server": server.name, "total": len(found), "people": rest[:PAGE], "more": len(rest) > PAGE}


@answers(key(EXPLAIN))
def servers(call: Call) -> dict[str, Any]:
    """Return what somebody can reach."""
    person = person_named(call.world, _needed(call, "person"))
    found = what_can(call.world, person.number, at=call.at, address=call.request.GET.get("address", ""))
    after = call.request.GET.get("after", "")
    rest = [reach for reach in found if reach.server.name > after]
    return {
        "person": person.email,
        "total": len(found),
        "servers": [
            {
                "server": reach.server.name,
                "kind": reach.server.kind,
                "actions": [str(action) for action in reach.actions],
                "tools": list(reach.tools),
            }
            for reach in rest[:PAGE]
        ],
        "more": len(rest) > PAGE,
    }


def _needed(call: Call, name: str) -> str:
    if not (value := call.request.GET.get(name)):
        message = f"the parameter {name} is missing"
        raise BadRequest(message)
    return value
