"""Two processes that serve one installation, and a client that provisions through both."""

import json
import threading
from contextlib import ExitStack
from typing import Any

import httpx

from tests.directory.scim.pushing import PATCH, USER
from tests.patience import HANG, eventually

BEGIN = """
from audit.context import Actor
from authz.changes import sources, proxies
by = Actor.command("tests")
source = sources.add(name="okta", kind="scim", settings={}, by=by)
proxies.trust(name="nginx", secret="a proxy's shared secret", by=by)
print("TOKEN", sources.issue_token(source, by=by).text)
"""
KEY = """
from audit.context import Actor
from authz.changes import api_keys
from authz.models import User
person = User.objects.get(email="alice@example.com")
print("KEY", api_keys.issue(person=person, name="k", scopes=["use"], by=Actor.command("tests")).text)
"""


def said(portal: Any, script: str) -> str:
    """Return the last word that a script prints."""
    return str(portal.manage("shell", "-c", script).stdout.split()[-1])


def test_two_processes_lose_nothing_and_refuse_a_leaver(portal: Any) -> None:
    """Changes through both are all there, and what one is told the other answers by."""
    here = portal()
    token = said(here, BEGIN)
    served = [here.serve("serve", "--port", "{port}", ready="/login") for _ in range(2)]
    allowed = {"Authorization": f"Bearer {token}"}
    with ExitStack() as stack:
        clients = [
            stack.enter_context(httpx.Client(base_url=f"{each.url}/scim/v2/", headers=allowed, timeout=HANG))
            for each in served
        ]
        _members(clients)
        _leaver(here, clients, [each.url for each in served])
        _large(clients[0])


def _members(clients: list[httpx.Client]) -> None:
    """Each client adds half of the members."""
    ids = []
    for number in range(40):
        body = {"schemas": [USER], "userName": f"p{number}@example.com"}
        ids.append(clients[number % 2].post("Users", json=body).raise_for_status().json()["id"])
    group = clients[0].post("Groups", json={"displayName": "engineering"}).raise_for_status().json()["id"]

    def push(which: int) -> None:
        for key in ids[which::2]:
            operation = {"op": "Add", "path": "members", "value": [{"value": key}]}
            body = {"schemas": [PATCH], "Operations": [operation]}
            clients[which].patch(f"Groups/{group}", json=body).raise_for_status()

    threads = [threading.Thread(target=push, args=(which,)) for which in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
        assert not thread.is_alive()
    found = clients[0].get(f"Groups/{group}").json()["members"]
    assert set(ids) == {each["value"] for each in found}


def _leaver(here: Any, clients: list[httpx.Client], urls: list[str]) -> None:
    """Whoever is deactivated through one process is refused by both."""
    alice = clients[0].post("Users", json={"schemas": [USER], "userName": "alice@example.com"}).json()["id"]
    shown = {"X-Proxy-Secret": "a proxy's shared secret", "Authorization": f"Bearer {said(here, KEY)}"}

    def asked() -> int:
        return httpx.get(f"{urls[1]}/auth/validate", headers=shown, timeout=HANG).status_code

    eventually(asked, 200)
    body = {"schemas": [PATCH], "Operations": [{"op": "Replace", "path": "active", "value": "False"}]}
    answer = clients[0].patch(f"Users/{alice}", json=body).raise_for_status()
    # The process that was told refuses her with the next answer, the other one as soon as it looks.
    assert 403 == httpx.get(f"{urls[0]}/auth/validate", headers=shown, timeout=HANG).status_code
    demanded = shown | {"Authz-At-Least": answer.headers["Authz-Revision"]}
    assert answer.headers["Authz-Revision"]
    eventually(lambda: httpx.get(f"{urls[1]}/auth/validate", headers=demanded, timeout=HANG).status_code, 403)


def _large(client: httpx.Client) -> None:
    """A group may be larger than a form, and a person may not."""
    many = [{"value": f"{n:036}", "display": "x" * 40} for n in range(30_000)]
    text = json.dumps({"displayName": "large", "members": many})
    assert len(text) > 3_000_000
    answer = client.post("Groups", content=text, headers={"Content-Type": "application/scim+json"})
    assert (400, "invalidValue") == (answer.status_code, answer.json()["scimType"])
    assert 413 == client.post("Users", content=text).status_code
