"""A real OpenID provider: oidc-provider from npm, certified by the OpenID Foundation, on a loopback port."""

import fcntl
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from tests.patience import HANG
from tests.peers import parts
from tests.peers.needs import need
from tests.peers.processes import Process, free_port, start

HERE = Path(__file__).parent
CLIENT, SECRET = "gatehouse", "a secret: with a colon & more than thirty characters"
PEOPLE: dict[str, dict[str, Any]] = {
    "alice": {"email": "alice@example.com", "email_verified": True, "name": "Alice", "groups": ["interns"]},
    "bob": {"email": "bob@example.com", "email_verified": True, "name": "Bob", "groups": ["sales"]},
    "mallory": {"email": "alice@example.com", "email_verified": False, "name": "Mallory", "groups": ["engineering"]},
}


def modules() -> Path:
    """Return the folder of its packages, exactly those of the lock file; they are installed once on a machine."""
    need("Node.js")
    npm = need("npm")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gatehouse" / "openid"
    cache.mkdir(parents=True, exist_ok=True)
    lock = (HERE / "package-lock.json").read_bytes()
    found = cache / "node_modules"
    with (cache / "installing").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        done = cache / "installed-lock.json"
        if found.is_dir() and done.exists() and done.read_bytes() == lock:
            return found
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, cache / name)
        installed = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=cache,
            capture_output=True,
            text=True,
            timeout=HANG,
            check=False,
        )
        if installed.returncode:
            reason = f"oidc-provider cannot be installed from npm: {installed.stderr.strip()[-300:]}"
            pytest.fail(reason, pytrace=False) if parts.STRICT else pytest.skip(reason)
        done.write_bytes(lock)
    return found


@dataclass
class OpenId:
    """A provider that runs."""

    issuer: str
    process: Process

    def signs_in(self, browser: httpx.Client, address: str, login: str) -> str:
        """Follow an address of the provider as a person would, signing in and agreeing; return where that leads to."""
        answer = browser.get(address)
        while True:
            if answer.is_redirect:
                address = urljoin(str(answer.url), answer.headers["Location"])
                if not address.startswith(self.issuer):
                    return address
                answer = browser.get(address)
                continue
            form = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert form is not None, answer.text
            assert prompt is not None, answer.text
            said = {"prompt": prompt[1], "login": login, "password": "any"}
            answer = browser.post(urljoin(str(answer.url), form[1]), data=said)

    def signs_out(self, browser: httpx.Client, address: str) -> str:
        """Follow an address to its question whether to sign out, say yes, and return where that leads to."""
        asked = browser.get(address)
        form = re.search(r'<form[^>]*action="([^"]+)"', asked.text)
        secret = re.search(r'name="xsrf" value="(\w+)"', asked.text)
        assert form is not None, asked.text
        assert secret is not None, asked.text
        answer = browser.post(form[1], data={"xsrf": secret[1], "logout": "yes"})
        return str(answer.headers["Location"])

    def disable(self, login: str) -> None:
        """Make somebody unknown to it."""
        assert "true" == httpx.post(f"{self.issuer}/control/disable", params={"login": login}, timeout=HANG).text


OpenIdFactory = Callable[..., OpenId]


@pytest.fixture
def openid(tmp_path: Path) -> Iterator[OpenIdFactory]:
    """Return a function that starts a provider with one client, the portal at an address: `openid(portal.url)`."""
    running: list[Process] = []

    def begin(portal: str, name: str = "okta") -> OpenId:
        port = free_port()
        ours = f"{portal}/oidc/{name}"
        client = {
            "client_id": CLIENT,
            "client_secret": SECRET,
            "redirect_uris": [f"{ours}/callback"],
            "post_logout_redirect_uris": [f"{ours}/signed-out"],
            "backchannel_logout_uri": f"{ours}/backchannel-logout",
            "backchannel_logout_session_required": True,
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
        }
        env = {
            "MODULES": str(modules()),
            "PORT": str(port),
            "CLIENT": json.dumps(client),
            "PEOPLE": json.dumps(PEOPLE),
        }
        log = tmp_path / f"openid-{len(running)}.log"
        process = start([need("Node.js"), HERE / "provider.mjs"], log=log, env=env)
        running.append(process)
        process.wait_for_words("listens")
        return OpenId(f"http://127.0.0.1:{port}", process)

    yield begin
    for each in reversed(running):
        each.stop()
