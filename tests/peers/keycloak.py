"""A real Keycloak that keeps nothing, where one was unpacked on the machine: KEYCLOAK_HOME names its folder.

It is no part that the tests install: it is 150 MB, needs Java, and takes half a minute to start.

    mvn dependency:copy -Dartifact=org.keycloak:keycloak-quarkus-dist:26.0.7:zip -DoutputDirectory=. && unzip …
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.patience import HANG
from tests.peers.processes import free_port, start

CLIENT, SECRET, PASSWORD = "gatehouse", "a secret of Keycloak's", "correct horse battery"


@dataclass
class Keycloak:
    """One that runs, and what its administrator does."""

    url: str

    @property
    def issuer(self) -> str:
        """The realm's."""
        return f"{self.url}/realms/test"

    def do(self, method: str, path: str, said: Any = None) -> Any:
        """Ask its administration for something."""
        form = {"client_id": "admin-cli", "grant_type": "password", "username": "admin", "password": PASSWORD}
        token = httpx.post(f"{self.url}/realms/master/protocol/openid-connect/token", data=form, timeout=HANG).json()
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        url = f"{self.url}/admin/realms{path}"
        answer = httpx.request(method, url, json=said, headers=headers, timeout=HANG)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def alice(self) -> str:
        """Return Alice's id."""
        return str(self.do("GET", "/test/users?username=alice")[0]["id"])


def realm(portal: str, name: str) -> dict[str, Any]:
    """Return a realm with Alice, who is an intern, and with the portal as its client."""
    ours = f"{portal}/oidc/{name}"
    mapped = {"full.path": "false", "id.token.claim": "true", "userinfo.token.claim": "true", "claim.name": "groups"}
    return {
        "realm": "test",
        "enabled": True,
        "sslRequired": "none",
        "groups": [{"name": "interns"}],
        "clients": [
            {
                "clientId": CLIENT,
                "secret": SECRET,
                "redirectUris": [f"{ours}/callback"],
                "attributes": {
                    "post.logout.redirect.uris": f"{ours}/signed-out",
                    "backchannel.logout.url": f"{ours}/backchannel-logout",
                    "backchannel.logout.session.required": "true",
                },
                "protocolMappers": [
                    {
                        "name": "groups",
                        "protocol": "openid-connect",
                        "protocolMapper": "oidc-group-membership-mapper",
                        "config": mapped,
                    }
                ],
            }
        ],
        "users": [
            {
                "username": "alice",
                "email": "alice@example.com",
                "emailVerified": True,
                "enabled": True,
                "firstName": "Alice",
                "lastName": "Smith",
                "groups": ["/interns"],
                "credentials": [{"type": "password", "value": PASSWORD, "temporary": False}],
            }
        ],
    }


@pytest.fixture
def keycloak(tmp_path: Path) -> Iterator[Callable[..., Keycloak]]:
    """Return a function that starts one with one client, the portal at an address; skipped where there is none."""
    home = os.environ.get("KEYCLOAK_HOME", "")
    if not home:
        pytest.skip("KEYCLOAK_HOME is not set: no second, independent OpenID provider signs anybody in")
    running = []

    def begin(portal: str, name: str = "keycloak") -> Keycloak:
        port = free_port()
        words = ["start-dev", "--db=dev-mem", "--http-host=127.0.0.1", f"--http-port={port}", "--cache=local"]
        env = {
            "KC_BOOTSTRAP_ADMIN_USERNAME": "admin",
            "KC_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD,
            "KC_HTTP_MANAGEMENT_PORT": str(free_port()),
        }
        process = start([Path(home) / "bin" / "kc.sh", *words], log=tmp_path / "keycloak.log", env=env)
        running.append(process)
        made = Keycloak(f"http://127.0.0.1:{port}")
        process.wait_for_url(f"{made.url}/realms/master")
        made.do("POST", "", realm(portal, name))
        return made

    yield begin
    for each in reversed(running):
        each.stop()
