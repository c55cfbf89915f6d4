"""A small organisation to look around in: the people, groups and servers that our first users named."""

import secrets
from typing import Final, NamedTuple

from audit.context import Actor
from authz.changes import api_keys, grants, groups, memberships, people, proxies, servers
from authz.changes.administrators import make_administrator
from authz.changes.change import change
from authz.decisions.scopes import EXPLAIN, GROUPS_CHECK, GROUPS_READ, USE
from authz.models import ApiKey, Group, Proxy, User

BY: Final = Actor.command("quickstart")

PEOPLE: Final = {
    "test@test.com": ("Test Person", ("mcp_basic", "admin")),
    "user@example.com": ("Ursula User", ("mcp_basic",)),
    "admin@example.com": ("Ada Admin", ("mcp_basic", "mcp_advanced", "admin")),
}
"""E-mail to name and groups; the group `users` needs no membership."""
ADMINISTRATORS: Final = frozenset({"test@test.com", "admin@example.com"})
GROUPS: Final = {
    "mcp_basic": "May use the everyday MCP servers.",
    "mcp_advanced": "May use every tool of every MCP server.",
    "admin": "Administers the chat UI, which asks for this group by its name; it opens nothing of Gatehouse.",
}
SERVERS: Final[dict[str, tuple[str, str, str, str, tuple[str, ...]]]] = {
    "chat": ("web", "The chat UI.", "chat.example.com", "/", ()),
    "search": ("mcp", "Searches the organisation's documents.", "mcp.example.com", "/search", ("find", "read")),
    "calculator": ("mcp", "Calculates.", "mcp.example.com", "/calculator", ("evaluate", "plot")),
    "jira": ("mcp", "Issues.", "mcp.example.com", "/jira", ("get_issue", "list_issues", "create_issue")),
    "file_upload": ("capability", "Uploading files in the chat UI.", "", "", ()),
}
"""Name to kind, description, host, path prefix and tools."""
GRANTS: Final[tuple[tuple[str, str, tuple[str, ...] | None], ...]] = (
    ("users", "chat", None),
    ("mcp_basic", "search", None),
    ("mcp_basic", "calculator", None),
    ("mcp_basic", "jira", ("get_*", "list_*")),
    ("mcp_advanced", "jira", None),
    ("mcp_advanced", "file_upload", None),
)
"""Group, server, and tools or all of them."""
SERVICE: Final = "chat-ui@services.example.com"
PROXY: Final = "local proxy"


class Secrets(NamedTuple):
    """What is shown once: passwords by e-mail, the keys of a service and of a person, and the proxy's secret."""

    passwords: dict[str, str]
    service_key: str
    personal_key: str
    proxy_secret: str


def load() -> None:
    """Create the organisation in an empty database, in one change."""
    with change(BY):
        found = {name: groups.create(name=name, description=text, by=BY) for name, text in GROUPS.items()}
        found["users"] = Group.objects.get(everyone=True)
        for email, (name, wanted) in PEOPLE.items():
            person = people.create(email=email, name=name, by=BY)
            for group in wanted:
                memberships.give(person=person, group=found[group], by=BY)
            if email in ADMINISTRATORS:
                make_administrator(person, by=BY)
        people.create(email=SERVICE, name="Chat UI", is_human=False, by=BY)
        made = {}
        for name, (kind, text, host, prefix, tools) in SERVERS.items():
            made[name] = servers.create(name=name, kind=kind, description=text, verifies_headers=kind == "mcp", by=BY)
            if host:
                servers.add_route(made[name], host=host, prefix=prefix, by=BY)
            for tool in tools:
                servers.add_tool(made[name], name=tool, by=BY)
        for group, server, limit in GRANTS:
            grants.give(group=found[group], server=made[server], tools=limit, by=BY)


def renew_secrets() -> Secrets:
    """Give the organisation new passwords, keys and a proxy secret; the old ones stop working."""
    with change(BY):
        passwords = {email: secrets.token_urlsafe(12) for email in PEOPLE}
        for email, password in passwords.items():
            people.set_password(User.objects.get(email=email), password, by=BY)
        for key in ApiKey.objects.filter(name="quickstart", revoked_at=None):
            api_keys.revoke(key, by=BY, reason="replaced by a new one")
        service, user = User.objects.get(email=SERVICE), User.objects.get(email="user@example.com")
        scopes = (GROUPS_CHECK, GROUPS_READ, EXPLAIN)
        service_key = api_keys.issue(person=service, name="quickstart", scopes=scopes, by=BY).text
        personal_key = api_keys.issue(person=user, name="quickstart", scopes=(USE,), by=BY).text
        proxy_secret = secrets.token_urlsafe(24)
        if (proxy := Proxy.objects.filter(name=PROXY).first()) is not None:
            proxies.edit(proxy, new_secret=proxy_secret, by=BY)
        else:
            proxies.trust(name=PROXY, secret=proxy_secret, by=BY)
    return Secrets(passwords, service_key, personal_key, proxy_secret)
