"""A small, slow and obvious model of the policy, written from the documents and not from the code.

It keeps what it was told in plain lists, remembers nothing, and answers by walking through everything. Where it and
the real decisions differ, one of them is wrong.
"""

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any


@dataclass
class Reference:
    """Everything that was told, by number or by pair."""

    people: dict[int, Any] = field(default_factory=dict)
    groups: dict[int, Any] = field(default_factory=dict)
    members: dict[tuple[int, int], float | None] = field(default_factory=dict)
    nests: set[tuple[int, int]] = field(default_factory=set)
    servers: dict[int, Any] = field(default_factory=dict)
    grants: dict[int, Any] = field(default_factory=dict)

    def in_group(self, person: int, group: int, at: float) -> bool:
        """Return whether somebody is in a group: directly, as everyone is, or through a group nested in it."""
        return self._in_group(person, group, at, frozenset())

    def _in_group(self, person: int, group: int, at: float, visited: frozenset[int]) -> bool:
        if group in visited or group not in self.groups:
            return False
        who = self.people[person]
        if self.groups[group].everyone and who.human and who.active:
            return True
        if (person, group) in self.members:
            until = self.members[person, group]
            if until is None or at < until:
                return True
        return any(
            parent == group and self._in_group(person, child, at, visited | {group}) for child, parent in self.nests
        )

    def may(self, person: int, action: str, server: int, *, tool: str | None, at: float, address: str) -> bool:
        """Return whether somebody may do something to a server, or to one of its tools."""
        who, what = self.people.get(person), self.servers.get(server)
        if who is None or not who.active or what is None or not what.enabled:
            return False
        if action == "use" and tool != "":
            off = what.switched_off
            if tool in off or (tool is None and off):
                return False
        return any(self._opens(grant, person, action, server, tool, at, address) for grant in self.grants.values())

    def _opens(  # noqa: PLR0917  a list of conditions, each on something of its own
        self, grant: Any, person: int, action: str, server: int, tool: str | None, at: float, address: str
    ) -> bool:
        if grant.server != server:
            return False
        if grant.person is not None and grant.person != person:
            return False
        if grant.group is not None and not self.in_group(person, grant.group, at):
            return False
        if action == "administer" and grant.action != "administer":
            return False
        if grant.until is not None and at >= grant.until:
            return False
        if grant.networks and not any(
            address and ip_address(address) in ip_network(network) for network in grant.networks
        ):
            return False
        if grant.tools is None or tool == "":
            return True
        return tool is not None and any(_fits(tool, pattern) for pattern in grant.tools)


def _fits(tool: str, pattern: str) -> bool:
    """Return whether a tool fits a pattern in which * stands for anything, letter by letter."""
    if not pattern:
        return not tool
    if pattern[0] == "*":
        return _fits(tool, pattern[1:]) or (bool(tool) and _fits(tool[1:], pattern))
    return bool(tool) and tool[0] == pattern[0] and _fits(tool[1:], pattern[1:])
