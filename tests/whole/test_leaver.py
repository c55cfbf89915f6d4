"""A leaver whom LDAP disables is refused at the proxy within the schedule, with their session and their key."""

import json
import re
from typing import Any

import httpx
import pytest

from tests.installation import about
from tests.patience import HANG, eventually
from tests.peers.portal import WITH_WORKER, Portal, PortalFactory
from tests.peers.slapd import READER_PASSWORD, dn_of

pytestmark = pytest.mark.peer("OpenLDAP")

BEGIN = """
import json, sys
from audit.context import Actor
from authz.changes import grants, groups, proxies, servers, sources
told, by = json.loads(sys.stdin.read()), Actor.command("tests")
corp = sources.add(name="corp", kind="ldap", settings=told["settings"], secret=told["secret"], by=by)
ours = groups.create(name="staff", by=by)
sources.add_rule(corp, group=ours, kind="group", pattern="engineering", by=by)
search = servers.create(name="search", by=by)
servers.add_route(search, host="mcp.example.com", prefix="/search", by=by)
grants.give(group=ours, server=search, by=by)
proxies.trust(name="nginx", secret="a proxy's shared secret", by=by)
"""
KEY = """
from audit.context import Actor
from authz.changes import api_keys
from authz.models import User
alice = User.objects.get(email="alice@example.com")
print(api_keys.issue(person=alice, name="laptop", scopes=["use"], by=Actor.command("tests")).text)
"""
DUE = """
from django.utils import timezone
from authz.models import Source
from authz.tasks import wake
Source.objects.update(due_at=timezone.now())
wake()
"""


def signed_in(url: str, account: str, password: str) -> str:
    """Return the cookie that the login page gives; empty if it refuses."""
    with httpx.Client(base_url=url, timeout=HANG) as browser:
        page = browser.get("/login").text
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token is not None
        sent = {"csrfmiddlewaretoken": token[1], "email": account, "password": password}
        browser.post("/login", data=sent, headers={"Referer": f"{url}/login"})
        return browser.cookies.get("gatehouse") or ""


def status(url: str, shown: dict[str, str]) -> int:
    """Return what the proxy is told about a request to the search server."""
    return httpx.get(f"{url}/auth/validate", headers=about("/search", shown), timeout=HANG).status_code


def next_read_makes_it(wanted: int, here: Portal, url: str, shown: dict[str, str]) -> None:
    """Let the directory be due now, and return as soon as the status is the one that is wanted."""
    here.manage("shell", "-c", DUE)
    eventually(lambda: status(url, shown), wanted)


def test_a_leaver_is_refused_within_the_schedule(portal: PortalFactory, slapd: Any) -> None:
    here = portal()
    settings = slapd.settings | {"disabled_attribute": "employeeType"}
    here.manage("shell", "-c", BEGIN, said=json.dumps({"settings": settings, "secret": READER_PASSWORD}))
    url = here.serve("serve", "--port", "{port}", WITH_WORKER, ready="/readyz").url

    cookie = signed_in(url, "alice", "alice's password")
    session = {"Cookie": f"gatehouse={cookie}"}
    next_read_makes_it(200, here, url, session)
    key = {"Authorization": f"Bearer {here.manage('shell', '-c', KEY).stdout.split()[-1]}"}
    next_read_makes_it(200, here, url, key)

    slapd.change(dn_of("alice"), employeeType="TRUE")
    next_read_makes_it(401, here, url, session)
    assert 403 == status(url, key)
    assert "" == signed_in(url, "alice", "alice's password")

    slapd.change(dn_of("alice"), employeeType="FALSE")
    next_read_makes_it(200, here, url, key)
    assert 401 == status(url, session)
