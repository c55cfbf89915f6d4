"""Traefik, by docker/traefik.yml and docker/traefik-routes.yml."""

import pytest

from tests.patience import eventually
from tests.peers.needs import need
from tests.peers.processes import free_port, start
from tests.whole.proxies.checks import CHECKS, an_edge_that_hangs_lets_nobody_through, passes
from tests.whole.proxies.front import Front, filled, fronts

pytestmark = pytest.mark.peer("Traefik")
CANNOT = frozenset({"the_session_cookie_is_not_the_applications", "our_keys_are_not_the_applications"})


@pytest.fixture(scope="module")
def front(shared_portal, tmp_path_factory):
    program = need("Traefik")
    place = tmp_path_factory.mktemp("traefik")
    running = []

    def begin(behind):
        port, addresses = free_port(), behind.addresses()
        # It can show no secret, so it is known by where it connects from.
        del addresses["CHANGE-ME-proxy-secret"]
        behind.here.portal.manage("trust_proxy", "traefik", "--network", "127.0.0.1/32")
        routes, configuration = place / "routes.yml", place / "traefik.yml"
        routes.write_text(filled("traefik-routes.yml", addresses))
        replace = {'":80"\n': f'"127.0.0.1:{port}"\n', "/etc/traefik/routes.yml": str(routes)}
        quiet = "global: {checkNewVersion: false, sendAnonymousUsage: false}\n"
        configuration.write_text(quiet + filled("traefik.yml", replace))
        running.append(start([program, f"--configFile={configuration}"], log=place / "log", cwd=place))
        running[-1].wait_for_port(port)
        made = Front(behind, port, CANNOT)
        # It listens before it has read its routes.
        eventually(lambda: made.get("/search", behind.here.bearer("alice")).status, 200)
        return made

    yield from fronts(shared_portal, begin)
    for each in running:
        each.stop()


# An edge that hangs is waited for for half a minute, and that cannot be changed.
@pytest.mark.parametrize(
    "check",
    [each for each in CHECKS if each is not an_edge_that_hangs_lets_nobody_through],
    ids=lambda check: check.__name__,
)
def test_traefik(front, check):
    passes(front, check)
