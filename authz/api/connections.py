"""`/api/v1/connections`: who is connected, and an end to it; `DELETE` of one, or of all that somebody has.

GET    /api/v1/connections[?person=…][&server=…]     the newest first, at most 1,000
DELETE /api/v1/connections/{id}
DELETE /api/v1/users/{email}/connections             also those that the roster does not know yet
"""

from typing import Any

from authz.api.door import Call, answers, key
from authz.changes import connections
from authz.decisions.asked import person_named, server_named
from authz.decisions.scopes import CONNECTIONS
from authz.errors import NoSuchThing
from authz.lookups.connections import live, told
from authz.models import User

MOST = 1000
BECAUSE = "disconnected by a service"


@answers(key(CONNECTIONS))
def show(call: Call) -> dict[str, Any]:
    """Return the live connections, of one person or to one server if that is asked."""
    asked, found = call.request.GET, live()
    if "person" in asked:
        found = found.filter(person=person_named(call.world, asked["person"]).number)
    if "server" in asked:
        found = found.filter(server=server_named(call.world, asked["server"]).number)
    rows = list(found[: MOST + 1])
    return {"connections": [told(row) for row in rows[:MOST]], "truncated": len(rows) > MOST}


@answers(key(CONNECTIONS), method="DELETE")
def end(call: Call, name: str) -> dict[str, Any]:
    """End one."""
    if (row := live().filter(pk=name).first()) is None:
        message = f"no live connection is called {name!r}"
        raise NoSuchThing(message)
    connections.hang_up(row, by=call.actor, because=BECAUSE)
    return {"disconnected": True}


@answers(key(CONNECTIONS), method="DELETE")
def end_all(call: Call, email: str) -> dict[str, Any]:
    """End all that somebody has."""
    person = User.objects.filter(pk=person_named(call.world, email).number).first()
    if person is None:
        message = f"nobody is called {email!r}"
        raise NoSuchThing(message)
    connections.hang_up_all(person, by=call.actor, because=BECAUSE)
    return {"disconnected": True}
