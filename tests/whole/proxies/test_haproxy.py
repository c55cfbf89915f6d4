"""HAProxy, by docker/haproxy.cfg and docker/haproxy.lua."""

import pytest

from tests.peers.needs import need
from tests.peers.processes import free_port, start
from tests.whole.proxies.checks import CHECKS, passes
from tests.whole.proxies.front import Front, filled, fronts

pytestmark = pytest.mark.peer("HAProxy")


@pytest.fixture(scope="module")
def front(shared_portal, tmp_path_factory):
    program = need("HAProxy")
    place = tmp_path_factory.mktemp("haproxy")
    running = []

    def begin(behind):
        port, addresses = free_port(), behind.addresses()
        edge = {"edge:8001": addresses.pop("edge:8001")}
        script, configuration = place / "haproxy.lua", place / "haproxy.cfg"
        script.write_text(filled("haproxy.lua", edge))
        replace = addresses | {"bind :80": f"bind 127.0.0.1:{port}", "/etc/haproxy/haproxy.lua": str(script)}
        configuration.write_text(filled("haproxy.cfg", replace))
        running.append(start([program, "-db", "-f", configuration], log=place / "log"))
        running[-1].wait_for_port(port)
        return Front(behind, port)

    yield from fronts(shared_portal, begin)
    for each in running:
        each.stop()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_haproxy(front, check):
    passes(front, check)
