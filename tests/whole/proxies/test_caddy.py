"""Caddy, by docker/Caddyfile."""

import pytest

from tests.peers.needs import need
from tests.peers.processes import free_port, start
from tests.whole.proxies.checks import CHECKS, passes
from tests.whole.proxies.front import Front, filled, fronts

pytestmark = pytest.mark.peer("Caddy")


@pytest.fixture(scope="module")
def front(shared_portal, tmp_path_factory):
    program = need("Caddy")
    place = tmp_path_factory.mktemp("caddy")
    running = []

    def begin(behind):
        port = free_port()
        # Without TLS, for which there is no certificate here, and without the interface that changes a configuration.
        sites = {f"\n{host} {{": f"\nhttp://{host}:{port} {{\n\tbind 127.0.0.1"
                 for host in ("chat.example.com", "portal.example.com")}  # fmt: skip
        text = "{\n\tadmin off\n\tpersist_config off\n}\n" + filled("Caddyfile", behind.addresses() | sites)
        (place / "Caddyfile").write_text(text)
        words = [program, "run", "--config", place / "Caddyfile", "--adapter", "caddyfile"]
        homes = {"HOME": str(place), "XDG_DATA_HOME": str(place), "XDG_CONFIG_HOME": str(place)}
        running.append(start(words, log=place / "log", env=homes))
        running[-1].wait_for_port(port)
        return Front(behind, port)

    yield from fronts(shared_portal, begin)
    for each in running:
        each.stop()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_caddy(front, check):
    passes(front, check)
