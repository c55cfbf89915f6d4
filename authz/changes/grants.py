"""Grants: give, change, remove."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from audit import events
from audit.context import Actor
from authz.changes.change import change
from authz.changes.edits import assign, differences, moment
from authz.decisions.facts import GrantGone
from authz.decisions.vocabulary import Kind
from authz.errors import Conflict
from authz.formats.labels import parse_label
from authz.formats.networks import parse_network
from authz.lookups import facts
from authz.models import Grant, Group, Server, User


def give(  # noqa: PLR0913  one argument for each thing a grant says
    *,
    server: Server,
    by: Actor,
    group: Group | None = None,
    person: User | None = None,
    action: str = "use",
    tools: Sequence[str] | None = None,
    until: datetime | None = None,
    networks: Sequence[str] = (),
    reason: str = "",
) -> Grant:
    """Let a group or one person use or administer a server; InvalidName or Conflict says why not."""
    wanted = _checked(
        {
            "server": server,
            "group": group,
            "person": person,
            "action": action,
            "tools": tools,
            "until": until,
            "networks": networks,
            "reason": reason,
        }
    )
    with change(by) as draft:
        grant = Grant.objects.create(**wanted, given_by=by.name)
        draft.say(events.GrantGiven(**_words(grant)), facts.grant(grant))
    return grant


def edit(grant: Grant, /, *, by: Actor, **wanted: Any) -> Grant:  # noqa: ANN401  fields of the row, by name
    """Change anything a grant says."""
    with change(by) as draft:
        grant = Grant.objects.select_related("group", "person", "server").get(pk=grant.pk)
        held = {name: getattr(grant, name) for name in ("server", "group", "person", "action", "tools", "networks")}
        checked = _checked(held | wanted)
        wanted = {name: checked[name] for name in wanted}
        if changes := differences(grant, wanted):
            assign(grant, wanted)
            draft.say(events.GrantChanged(**_words(grant), changes=changes), facts.grant(grant))
    return grant


def remove(grant: Grant, *, by: Actor, reason: str = "") -> None:
    """Take a grant back."""
    with change(by) as draft:
        words, number = _words(grant), grant.pk
        if Grant.objects.filter(pk=number).delete()[0]:
            draft.say(events.GrantRemoved(**words, reason=reason), GrantGone(number))


def _checked(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the fields in their one spelling."""
    if (wanted["group"] is None) == (wanted["person"] is None):
        message = "a grant is held either by a group or by a person"
        raise Conflict(message)
    tools = wanted["tools"]
    if tools is not None:
        if wanted["server"].kind != Kind.MCP:
            message = f"{wanted['server']} is not an MCP server; a grant on it cannot be limited to tools"
            raise Conflict(message)
        tools = sorted({parse_label(tool, what="tool name") for tool in tools})
        if not tools:
            message = "a grant that is limited to tools names at least one"
            raise Conflict(message)
    networks = sorted({parse_network(network) for network in wanted["networks"]})
    return wanted | {"tools": tools, "networks": networks}


def _words(grant: Grant) -> dict[str, Any]:
    return {
        "holder": str(grant.group or grant.person),
        "holder_kind": "group" if grant.group_id else "person",
        "action": grant.action,
        "server": grant.server.name,
        "tools": tuple(grant.tools or ()),
        "until": moment(grant.until),
        "networks": tuple(grant.networks),
    }
