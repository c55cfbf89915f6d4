"""`GET /api/v1/explain?person=…&server=…[&tool=…][&action=use][&address=…]`: the answer, and everything behind it.

Without `tool` the server as a whole is meant; an empty one means a request that calls no tool, such as listing them.
"""

from typing import Any

from authz.api.door import Call, answers, key
from authz.decisions.asked import action_named, person_named, server_named, tool_named
from authz.decisions.explain import explain
from authz.decisions.scopes import EXPLAIN
from authz.decisions.search import question_of
from authz.errors import BadRequest
from authz.lookups.provenance import told_with_sources


@answers(key(EXPLAIN))
def show(call: Call) -> dict[str, Any]:
    """Return an explanation."""
    asked = call.request.GET
    for name in ("person", "server"):
        if not asked.get(name):
            message = f"the parameter {name} is missing"
            raise BadRequest(message)
    person = person_named(call.world, asked["person"])
    server = server_named(call.world, asked["server"])
    question = question_of(
        person.number,
        server.number,
        action=action_named(asked.get("action", "use")),
        tool=tool_named(asked.get("tool")),
        at=call.at,
        address=asked.get("address", ""),
    )
    return {
        "person": person.email,
        "server": server.name,
        **told_with_sources(explain(question, call.world), call.world),
    }
