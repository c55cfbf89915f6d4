"""An organisation on a real database, a real edge beside it, and what the edge says."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.patience import HANG
from tests.peers.portal import Portal, Served

SECRET = "a proxy secret that nobody guesses"
SEARCH = "https://mcp.example.com/search"

ORGANISATION = """
import json
from datetime import timedelta
from audit.context import Actor
from authz.changes import api_keys, grants, groups, issuers, memberships, people, proxies, servers, sessions
by = Actor.system("test")
day = timedelta(days=1)
proxies.trust(name="nginx", secret={secret!r}, by=by)
search = servers.create(name="search", by=by)
servers.add_route(search, host="mcp.example.com", prefix="/search", by=by)
engineering = groups.create(name="engineering", by=by)
grants.give(server=search, group=engineering, by=by)
issuers.trust(name="idp", issuer="https://idp.example.com", audiences=["gatehouse"], jwks={jwks!r}, by=by)
shown = {{}}
for name in {names!r}:
    person = people.create(email=f"{{name}}@example.com", name=name.title(), by=by)
    if name != "mallory":
        memberships.give(person=person, group=engineering, by=by)
    begun = sessions.begin(person=person, device="", address="", lifetime=day, idle=day, by=by)
    key = api_keys.issue(person=person, name="k", scopes=["use"], by=by)
    shown[name] = {{"session": begun.token, "key": key.text}}
robot = people.create(email="robot@example.com", is_human=False, by=by)
shown["robot"] = {{"key": api_keys.issue(person=robot, name="k", scopes=["groups:check"], by=by).text}}
print(json.dumps(shown))
"""


@dataclass
class Organisation:
    """What was shown when it was made: a session and a key of each person."""

    here: Portal
    shown: dict[str, dict[str, str]]

    def run(self, code: str) -> None:
        """Change something in a process of its own."""
        before = (
            "from audit.context import Actor\n"
            "from authz.changes import api_keys, grants, groups, issuers, memberships, people, proxies\n"
            "from authz.changes import servers, sessions\n"
            "from authz.models import *\n"
            "by = Actor.system('test')\n"
        )
        self.here.manage("shell", "-c", before + code)


def organise(here: Portal, *names: str, jwks: str) -> Organisation:
    """Make the organisation; everybody named is in engineering, but Mallory."""
    code = ORGANISATION.format(secret=SECRET, names=names, jwks=jwks)
    said = here.manage("shell", "-c", code).stdout
    return Organisation(here, json.loads(said.splitlines()[-1]))


@contextmanager
def connected(edge: Served) -> Iterator[http.client.HTTPConnection]:
    """Keep one connection to an edge open, as a proxy does."""
    address = urlsplit(edge.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=HANG)
    try:
        yield connection
    finally:
        connection.close()


def status(connection: http.client.HTTPConnection, credential: dict[str, str], url: str = SEARCH) -> int:
    """Return what validate says to somebody who shows a credential."""
    headers = {"X-Original-URL": url, "X-Original-Method": "GET", "X-Proxy-Secret": SECRET, **credential}
    connection.request("GET", "/auth/validate", headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status
