"""What somebody does to an installation from a process of their own: one verb per line of JSON, answered by a line."""

# ruff: noqa: PLC0415, T201  a model can be imported only once Django is set up, and an act answers by printing

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

SECRET = "a proxy's shared secret"
PASSWORD = "correct horse battery"
HOSTS = ("mcp.example.com", "chat.example.com", "127.0.0.1")
PEOPLE = ("alice", "bob", "carol", "mallory")


def _by() -> Any:
    from audit.context import Actor

    return Actor.command("tests")


def _person(name: str) -> Any:
    from authz.models import User

    return User.objects.get(email=f"{name}@example.com")


def move_in() -> dict[str, Any]:
    """Create the people we know, what they may reach, and what they show."""
    from authz.changes import api_keys, grants, groups, memberships, people, proxies, servers, sessions
    from authz.changes.administrators import make_administrator
    from authz.changes.change import change
    from authz.decisions.scopes import EXPLAIN, GROUPS_CHECK, GROUPS_READ, USE

    by = _by()
    with change(by):
        made = {name: people.create(email=f"{name}@example.com", name=name.title(), by=by) for name in PEOPLE}
        people.set_password(made["alice"], PASSWORD, by=by)
        people.set_password(made["carol"], PASSWORD, by=by)
        make_administrator(made["carol"], by=by)
        chat = people.create(email="chat@services.example.com", is_human=False, by=by)
        found = {name: groups.create(name=name, by=by) for name in ("engineering", "interns", "sales")}
        groups.nest(found["interns"], parent=found["engineering"], by=by)
        memberships.give(person=made["alice"], group=found["interns"], by=by)
        memberships.give(person=made["bob"], group=found["sales"], by=by)
        for name, kind, group, tools in (
            ("search", "mcp", "engineering", None), ("jira", "mcp", "engineering", ["get_*"]), ("crm", "web",
            "sales", None),
        ):  # fmt: skip
            server = servers.create(name=name, kind=kind, verifies_headers=kind == "mcp", by=by)
            server = servers.edit(server, verifies_headers=kind == "mcp", by=by)
            for host in HOSTS:
                servers.add_route(server, host=host, prefix=f"/{name}", by=by)
            grants.give(group=found[group], server=server, tools=tools, by=by)
            if name == "search":
                servers.add_route(server, host="chat.example.com", prefix="/ws", by=by)  # where the chat has WebSockets
        proxies.trust(name="nginx", secret=SECRET, by=by)
        keys = {name: api_keys.issue(person=made[name], name="script", scopes=[USE], by=by).text for name in PEOPLE}
        scopes = [GROUPS_CHECK, GROUPS_READ, EXPLAIN]
        keys["chat"] = api_keys.issue(person=chat, name="service", scopes=scopes, by=by).text
        hours = timedelta(hours=2)
        limits: dict[str, Any] = {
            "device": "a browser",
            "address": "192.0.2.1",
            "lifetime": hours,
            "idle": hours,
            "by": by,
        }
        begun = {name: sessions.begin(person=made[name], **limits).token for name in PEOPLE}
    return {"keys": keys, "sessions": begun}


def suspend(name: str) -> None:
    from authz.changes import people

    people.suspend(_person(name), by=_by())


def restore(name: str) -> None:
    from authz.changes import people

    people.restore(_person(name), by=_by())


def end_sessions(name: str) -> int:
    from authz.changes import sessions

    return sessions.end_all(_person(name), by=_by(), because="ended by an administrator")


def revoke_keys(name: str) -> None:
    from authz.changes import api_keys

    for key in _person(name).api_keys.filter(revoked_at=None):
        api_keys.revoke(key, by=_by())


def issue_key(name: str) -> str:
    from authz.changes import api_keys
    from authz.decisions.scopes import USE

    return api_keys.issue(person=_person(name), name="another script", scopes=[USE], by=_by()).text


def leave(name: str, group: str) -> None:
    from authz.changes import memberships
    from authz.models import Membership

    memberships.remove(Membership.objects.get(person=_person(name), group__name=group), by=_by())


def join(name: str, group: str) -> None:
    from authz.changes import memberships
    from authz.models import Group

    memberships.give(person=_person(name), group=Group.objects.get(name=group), by=_by())


def take_back(group: str, server: str) -> None:
    from authz.changes import grants
    from authz.models import Grant

    grants.remove(Grant.objects.get(group__name=group, server__name=server), by=_by())


def switch_server(name: str, on: bool) -> None:
    from authz.changes import servers
    from authz.models import Server

    servers.edit(Server.objects.get(name=name), by=_by(), enabled=on)


def relay(server: str, settings: dict[str, Any]) -> None:
    """Say where a server's WebSockets are carried, how long they may live, and whether notices are sent."""
    from authz.changes import servers
    from authz.models import Server

    servers.edit(Server.objects.get(name=server), by=_by(), **settings)


def lend(name: str, group: str, seconds: float) -> None:
    """Make somebody's membership one that ends soon."""
    from django.utils import timezone

    from authz.changes import memberships
    from authz.models import Membership

    until = timezone.now() + timedelta(seconds=seconds)
    memberships.edit(Membership.objects.get(person=_person(name), group__name=group), until=until, by=_by())


def hang_up(name: str) -> None:
    from authz.changes import connections

    connections.hang_up_all(_person(name), by=_by(), because="tests")


def roster() -> list[dict[str, Any]]:
    """Return who is connected, as the roster tells everybody."""
    from authz.lookups.connections import live

    return [
        {
            "id": row.pk,
            "person": row.person.email,
            "server": row.server.name if row.server else None,
            "kind": row.kind,
            "credential": row.credential,
            "received": row.received,
            "sent": row.sent,
            "because": row.ends_because,
        }
        for row in live()
    ]


def ticket(name: str, server: str | None, origin: str) -> str:
    from authz.changes import tickets
    from authz.models import Server

    person = _person(name)
    session = person.sessions.get(ended_at=None)
    to = Server.objects.get(name=server) if server else None
    return tickets.issue(person=person, credential=f"session:{session.pk}", server=to, origin=origin, by=_by())


def trust_issuer(jwks: str) -> None:
    from authz.changes import issuers

    issuers.trust(name="idp", issuer="https://idp.example.com", audiences=["gatehouse"], jwks=jwks, by=_by())


def switch_issuer(on: bool) -> None:
    from authz.changes import issuers
    from authz.models import Issuer

    issuers.edit(Issuer.objects.get(name="idp"), by=_by(), enabled=on)


def distrust_proxy() -> None:
    from authz.changes import proxies
    from authz.models import Proxy

    proxies.remove(Proxy.objects.get(name="nginx"), by=_by())


def begin_session(name: str) -> str:
    from authz.changes import sessions

    hours = timedelta(hours=2)
    return sessions.begin(person=_person(name), device="", address="", lifetime=hours, idle=hours, by=_by()).token


def open_sessions(name: str) -> int:
    return int(_person(name).sessions.filter(ended_at=None).count())


def revision() -> str:
    from authz.lookups.build import revision_now

    number, _, epoch = revision_now()
    return f"{epoch}.{number}"


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parent.parent)
    django.setup()
    for line in sys.stdin:
        act, *arguments = json.loads(line)
        print(json.dumps(globals()[act](*arguments)), flush=True)
