"""nginx, by docker/nginx.conf."""

import pytest

from tests.whole.proxies.checks import CHECKS, passes
from tests.whole.proxies.front import Front, filled, fronts

pytestmark = pytest.mark.peer("nginx")


@pytest.fixture(scope="module")
def front(shared_portal, shared_nginx):
    def start(behind):
        replace = behind.addresses() | {"listen 80;": "listen 127.0.0.1:@PORT@;"}
        return Front(behind, int(shared_nginx(filled("nginx.conf", replace)).rpartition(":")[2]))

    yield from fronts(shared_portal, start)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_nginx(front, check):
    passes(front, check)
