"""Reads a question from a query string or a command line: names into numbers, or an error that says which is wrong."""

from authz.decisions.facts import PersonIs, ServerIs
from authz.decisions.names import fold, lowered, shown
from authz.decisions.vocabulary import ANY_TOOL, NO_TOOL, Action
from authz.decisions.world import World
from authz.errors import BadRequest, NoSuchThing


def person_named(world: World, email: str) -> PersonIs:
    """Return the person with this e-mail address; NoSuchThing if there is none."""
    if (number := world.by_email.get(lowered(email))) is None:
        message = f"nobody is called {shown(email)}"
        raise NoSuchThing(message)
    return world.people[number]


def server_named(world: World, name: str) -> ServerIs:
    """Return the server with this name; NoSuchThing if there is none."""
    if (number := world.by_server_name.get(fold(name))) is None:
        message = f"no server is called {shown(name)}"
        raise NoSuchThing(message)
    return world.servers[number]


def action_named(text: str) -> Action:
    """Return an action; BadRequest if there is none of this name."""
    try:
        return Action(text)
    except ValueError:
        message = f"{shown(text)} is not an action; use one of {', '.join(Action)}"
        raise BadRequest(message) from None


def tool_named(text: str | None) -> str | None:
    """Return a tool's name: None asks for the server as a whole, "" for no tool at all (such as listing them)."""
    if text is None:
        return ANY_TOOL
    return text or NO_TOOL
