"""Apache httpd, by docker/httpd.conf and docker/httpd.lua."""

import pytest

from tests.peers.needs import need
from tests.peers.processes import free_port, start
from tests.whole.proxies.checks import CHECKS, passes
from tests.whole.proxies.front import Front, filled, fronts

pytestmark = pytest.mark.peer("Apache httpd")
IN_THE_SCRIPT = ("edge:8001", "CHANGE-ME-proxy-secret", "CHANGE-ME-chat-secret")


@pytest.fixture(scope="module")
def front(shared_portal, tmp_path_factory):
    program = need("Apache httpd")
    need("LuaSocket")
    place = tmp_path_factory.mktemp("httpd")
    running = []

    def begin(behind):
        port, addresses = free_port(), behind.addresses()
        script, configuration = place / "httpd.lua", place / "httpd.conf"
        script.write_text(filled("httpd.lua", {name: addresses.pop(name) for name in IN_THE_SCRIPT}))
        replace = addresses | {
            "Listen 80\n": f"Listen 127.0.0.1:{port}\n", "*:80": f"*:{port}", "/etc/apache2/httpd.lua": str(script),
            "/run/apache2/gatehouse.pid": str(place / "pid"), "/dev/stderr": str(place / "error.log"),
        }  # fmt: skip
        here = f"ServerRoot {place}\nDefaultRuntimeDir {place}\nMutex posixsem\n"
        configuration.write_text(here + filled("httpd.conf", replace))
        running.append(start([program, "-D", "FOREGROUND", "-f", configuration], log=place / "log"))
        running[-1].wait_for_port(port)
        return Front(behind, port)

    yield from fronts(shared_portal, begin)
    for each in running:
        each.stop()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_httpd(front, check):
    passes(front, check)
