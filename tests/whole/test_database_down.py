"""While the database is gone, checks go on from the last World for a while; then everything is denied."""

import time

from tests.patience import eventually
from tests.peers.portal import PortalFactory
from tests.peers.postgres import Cluster
from tests.whole.edge import connected, organise, status
from tests.whole.test_revocation import JWKS

STALENESS = 10


def test_checks_outlive_the_database_for_as_long_as_is_allowed(portal: PortalFactory, postgres: Cluster) -> None:
    """Allowed, then denied, then allowed again when it is back; a restart without it does not begin to answer."""
    here = portal(database="postgresql")
    organisation = organise(here, "alice", jwks=JWKS)
    env = {"AUTHZ_STALENESS_LIMIT": str(STALENESS)}
    edge = here.serve("serve_edge", "--port", "{port}", ready="/readyz", env=env)
    alice = {"Cookie": f"gatehouse={organisation.shown['alice']['session']}"}
    with connected(edge) as connection:
        assert 200 == status(connection, alice)
        gone_at = time.monotonic()
        with postgres.gone(here.database_url):
            # What a slow machine answers later than this may be either.
            while (found := status(connection, alice)) and time.monotonic() - gone_at < STALENESS / 2:
                assert 200 == found
                time.sleep(0.05)
            eventually(lambda: status(connection, alice), 403)
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            assert b'"ready": false' in answer.read()
            assert 503 == answer.status
        eventually(lambda: status(connection, alice), 200)
