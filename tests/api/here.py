"""Whom the interface is asked about, and who asks."""

from typing import Any

from django.test import Client

from audit.context import Actor
from authz.changes import api_keys, grants, groups, memberships, people, servers
from authz.decisions.scopes import WHOLE

BY = Actor.command("tests")


class Here:
    """Alice in interns, which is in engineering; engineering may use search and some tools of jira."""

    def __init__(self) -> None:
        self.alice = people.create(email="alice@example.com", name="Alice", by=BY)
        self.bob = people.create(email="bob@example.com", by=BY)
        self.eve = people.create(email="eve@example.com", by=BY)
        self.chat = people.create(email="chat@example.com", is_human=False, by=BY)
        made = {name: groups.create(name=name, by=BY) for name in ("engineering", "interns", "sales")}
        groups.nest(made["interns"], parent=made["engineering"], by=BY)
        for person, group in ((self.alice, "interns"), (self.bob, "sales"), (self.eve, "engineering")):
            memberships.give(person=person, group=made[group], by=BY)
        people.suspend(self.eve, by=BY)
        self.search, self.jira = (servers.create(name=name, by=BY) for name in ("search", "jira"))
        for name in ("get_issue", "create_issue"):
            servers.add_tool(self.jira, name=name, by=BY)
        grants.give(group=made["engineering"], server=self.search, by=BY)
        grants.give(group=made["engineering"], server=self.jira, tools=["get_*"], by=BY)
        self.keys = {scope: api_keys.issue(person=self.chat, name=scope, scopes=[scope], by=BY).text for scope in WHOLE}

    def get(self, path: str, asked: dict[str, str] | None = None, *, scope: str = "", **headers: str) -> Any:
        """Ask with the key of a scope; `scope=""` is a stranger."""
        shown = {"Authorization": f"Bearer {self.keys[scope]}"} if scope else {}
        return Client().get(f"/api/v1/{path}", asked or {}, headers={**shown, **headers})
