"""A provisioning client, and what it pushes about the people we know."""

import json
from typing import Any

from django.test import Client

from audit.context import Actor
from authz.changes import sources
from authz.models import ForeignGroup, Identity, Membership, Source, User

BY = Actor.command("tests")
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
ROOMY = {"free_number": 10_000, "most_number": 10_000}
"""Settings by which a test's many pushes within an hour are no reason to wait."""


class Pusher:
    """A client with a token of one directory."""

    def __init__(self, name: str, **settings: Any) -> None:
        self.source: Source = sources.add(name=name, kind="scim", settings={**ROOMY, **settings}, by=BY)
        self.token = sources.issue_token(self.source, by=BY).text

    def ask(self, method: str, path: str, body: Any = None, query: dict[str, Any] | None = None, **headers: str) -> Any:
        """Return the answer to a request, its body read as `.said`."""
        content = body if isinstance(body, bytes | str) else "" if body is None else json.dumps(body)
        asked: Any = Client(raise_request_exception=True).generic(
            method,
            f"/scim/v2/{path}",
            content,
            content_type="application/scim+json",
            query_params=query,
            headers={"Authorization": f"Bearer {self.token}"} | {n.replace("_", "-"): v for n, v in headers.items()},
        )
        asked.said = json.loads(asked.content) if asked.content else None
        return asked

    def get(self, path: str, **query: Any) -> Any:
        """Return what stands at an address."""
        return self.ask("GET", path, query=query)

    def patch(self, path: str, *operations: dict[str, Any], **headers: str) -> Any:
        """Return the answer to a PATCH."""
        return self.ask("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, None, **headers)

    def user(self, name: str, /, **more: Any) -> str:
        """Push a new user, and return the id."""
        body = {"schemas": [USER], "userName": f"{name}@example.com", "displayName": name.title(), "active": True}
        answer = self.ask("POST", "Users", body | more)
        assert 201 == answer.status_code, answer.said
        return str(answer.said["id"])

    def group(self, name: str, /, *members: str, **more: Any) -> str:
        """Push a new group, and return the id."""
        body = {"schemas": [GROUP], "displayName": name, "members": [{"value": each} for each in members]}
        answer = self.ask("POST", "Groups", body | more)
        assert 201 == answer.status_code, answer.said
        return str(answer.said["id"])

    def members(self, group: str) -> set[str]:
        """Return the ids of the members of a group, as they are read back."""
        return {each["value"] for each in self.get(f"Groups/{group}").said.get("members", [])}

    def found(self, kind: str = "Users", **query: Any) -> list[str]:
        """Return the names of what is listed."""
        answer = self.get(kind, **query)
        assert 200 == answer.status_code, answer.said
        return [each.get("userName", each.get("displayName")) for each in answer.said["Resources"]]


def person(name: str) -> User:
    """Return somebody as we know them."""
    return User.objects.get(email=f"{name}@example.com")


def groups_of(name: str) -> set[str]:
    """Return the groups of ours that somebody is directly in."""
    return set(Membership.objects.filter(person=person(name)).values_list("group__name", flat=True))


def everything() -> list[Any]:
    """Return all that a push could have changed."""
    return [
        sorted(User.objects.values_list("email", "name", "is_active", "source")),
        sorted(Identity.objects.values_list("external_id", "active", "version", "gone_at")),
        sorted(ForeignGroup.objects.values_list("external_id", "name", "version")),
        sorted(Membership.objects.values_list("person__email", "group__name", "source")),
    ]
