"""The policy: rules in order, each a sentence; the first that has an answer wins, and silence is a denial.

A rule is given the World and the Question, and returns a Decision or None for "not my business". Its name is what
the log calls it and its docstring is what docs/decisions.md says of it.
"""

from collections.abc import Callable
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network

from authz.decisions.facts import GrantIs
from authz.decisions.membership import holding
from authz.decisions.names import fold
from authz.decisions.scopes import ADMINISTER, ONE_SERVER, USE
from authz.decisions.vocabulary import ANY_TOOL, FOREVER, NO_TOOL, Action, Decision, Effect, Question, Where
from authz.decisions.world import CLOSED, World

Rule = Callable[[World, Question], Decision | None]


def _deny(rule: str, code: str, reason: str) -> Decision:
    return Decision(Effect.DENY, rule, code, reason)


def strangers_sign_in(_world: World, question: Question) -> Decision | None:
    """Whoever presents no credential is asked to sign in."""
    if question.who is None:
        return Decision(Effect.SIGN_IN, "strangers_sign_in", "sign-in", "Please sign in.")
    return None


def ended_credentials_sign_in(_world: World, question: Question) -> Decision | None:
    """A credential that has ended opens nothing, from the very instant of its end."""
    if question.who is not None and question.at >= question.who.until:
        return Decision(Effect.SIGN_IN, "ended_credentials_sign_in", "expired", "Your sign-in has ended.")
    return None


def suspended_people_stay_out(world: World, question: Question) -> Decision | None:
    """Somebody who is suspended, or no longer exists, is refused whatever they show."""
    person = world.people.get(question.who.person) if question.who else None
    if person is None or not person.active:
        return _deny("suspended_people_stay_out", "suspended", "This account is suspended.")
    return None


def unreadable_addresses_are_closed(_world: World, question: Question) -> Decision | None:
    """A URL that is malformed, or that two readers could read differently, is refused."""
    if question.target.where is Where.UNREADABLE:
        return _deny("unreadable_addresses_are_closed", "unreadable-url", question.target.problem)
    return None


def unknown_addresses_are_closed(_world: World, question: Question) -> Decision | None:
    """A URL that no registered server covers is refused."""
    if question.target.where is Where.NOWHERE:
        return _deny("unknown_addresses_are_closed", "unknown-url", "No registered server covers this address.")
    return None


def disabled_servers_are_closed(world: World, question: Question) -> Decision | None:
    """A server that is disabled, or was removed, is closed to everyone, its administrators included."""
    if question.target.where is not Where.SERVER:
        return None
    server = world.servers.get(question.target.server)
    if server is None or not server.enabled:
        return _deny("disabled_servers_are_closed", "server-disabled", "This server is switched off.")
    return None


def a_key_never_exceeds_its_scopes(world: World, question: Question) -> Decision | None:
    """An API key opens only what its scopes name, however much its owner may do."""
    scopes = question.who.scopes if question.who else None
    if scopes is None or (ADMINISTER if question.action is Action.ADMINISTER else USE) in scopes:
        return None
    if question.action is Action.USE and question.target.where is Where.SERVER:
        name = fold(world.servers[question.target.server].name)
        if any(scope.startswith(ONE_SERVER) and fold(scope[len(ONE_SERVER) :]) == name for scope in scopes):
            return None
    return _deny("a_key_never_exceeds_its_scopes", "key-scope", "The API key's scopes do not cover this.")


def identity_alone_is_granted(_world: World, question: Question) -> Decision | None:
    """A request that names no URL asks only who the caller is, and is told."""
    if question.target.where is Where.NOT_ASKED and question.action is Action.USE and question.who is not None:
        return Decision(Effect.ALLOW, "identity_alone_is_granted", "identity", "You are signed in.", question.who.until)
    return None


def disabled_tools_are_closed(world: World, question: Question) -> Decision | None:
    """A tool that is switched off is closed to everyone; a call that does not prove its tool might be that one."""
    if question.target.where is not Where.SERVER or question.tool == NO_TOOL or question.action is not Action.USE:
        return None
    if not (off := world.servers[question.target.server].switched_off):
        return None
    if question.tool is ANY_TOOL:
        reason = "A tool of this server is switched off, so a call must prove which tool it is for."
        return _deny("disabled_tools_are_closed", "tool-unnamed", reason)
    if question.tool in off:
        return _deny("disabled_tools_are_closed", "tool-disabled", "This tool is switched off.")
    return None


def a_grant_opens_the_door(world: World, question: Question) -> Decision | None:
    """A grant to the person, or to a group they are in, opens the server, its tools and networks permitting."""
    if question.who is None or question.target.where is not Where.SERVER:
        return None
    person = world.people[question.who.person]
    door = world.doors.get(question.target.server, CLOSED)
    for grant in door.by_person.get(person.number, ()):
        if opens(grant, question):
            return _opened(grant, question.who.until)
    reached = holding(world, person, question.target.server, door, question.at)
    for group in sorted(reached):
        for grant in door.by_group[group]:
            if opens(grant, question):
                return _opened(grant, min(question.who.until, reached[group]))
    return None


def _opened(grant: GrantIs, until: float) -> Decision:
    ends = min(until, FOREVER if grant.until is None else grant.until)
    return Decision(Effect.ALLOW, "a_grant_opens_the_door", "granted", "A grant permits this.", ends, grant.number)


def opens(grant: GrantIs, question: Question) -> bool:
    """Return whether a grant, held by whoever asks, permits what is asked."""
    return (
        grant.action in (Action.ADMINISTER, question.action)
        and (grant.until is None or question.at < grant.until)
        and (grant.tools is None or covers(grant.tools, question.tool))
        and (not grant.networks or within(grant.networks, question.address))
    )


def covers(tools: tuple[str, ...], tool: str | None) -> bool:
    """Return whether a grant limited to these tools covers a call; never one that does not prove its tool."""
    if tool is ANY_TOOL:
        return False
    return tool == NO_TOOL or any(tool == name or ("*" in name and _matches(tool, name)) for name in tools)


def _matches(tool: str, pattern: str) -> bool:
    """Return whether a tool fits a pattern, in which only `*` is special."""
    return fnmatchcase(tool, pattern.replace("[", "[[]").replace("?", "[?]"))


def within(networks: tuple[str, ...], address: str) -> bool:
    """Return whether an address lies in one of the networks; one that is not known or not an address does not."""
    try:
        client = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(client, "ipv4_mapped", None)
    return any((mapped or client) in ip_network(network) for network in networks)


def silence_is_a_denial(world: World, question: Question) -> Decision:
    """What no rule allows is refused."""
    door = world.doors.get(question.target.server, CLOSED)
    if question.tool is ANY_TOOL and door.limited and _some_tool(world, question):
        reason = "You may use some tools of this server, and this request does not prove which tool it calls."
        return _deny("silence_is_a_denial", "tool-unnamed", reason)
    return _deny("silence_is_a_denial", "no-grant", "Nothing permits you to do this.")


def _some_tool(world: World, question: Question) -> bool:
    """Return whether the same request would pass if it provably called no tool: a hint for the refused."""
    return a_grant_opens_the_door(world, question._replace(tool=NO_TOOL)) is not None


RULES: tuple[Rule, ...] = (
    strangers_sign_in,
    ended_credentials_sign_in,
    suspended_people_stay_out,
    unreadable_addresses_are_closed,
    unknown_addresses_are_closed,
    disabled_servers_are_closed,
    a_key_never_exceeds_its_scopes,
    identity_alone_is_granted,
    disabled_tools_are_closed,
    a_grant_opens_the_door,
    silence_is_a_denial,
)
