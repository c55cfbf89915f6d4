"""A database that says nothing at all, and hangs up on nobody, is an outage like any other."""

import threading
import time

import pytest

from tests.installation import ask, fetch
from tests.patience import HANG, eventually
from tests.whole.relay import Relay

STALENESS = 10


@pytest.fixture
def here(install):
    return install(database="postgresql")


@pytest.fixture
def cable(here):
    relay = Relay(int(here.portal.database_url.rpartition(":")[2].partition("/")[0]))
    yield relay
    relay.stop()


def test_checks_go_on_for_a_while_and_then_everything_is_denied(here, cable):
    head, _, name = here.portal.database_url.rpartition(":")
    url = f"{head}:{cable.port}/{name.partition('/')[2]}"
    edge = here.edge(env={"DATABASE_URL": url, "AUTHZ_STALENESS_LIMIT": str(STALENESS)})
    alice, mallory, stranger = here.cookie("alice"), here.cookie("mallory"), dict[str, str]()
    assert 200 == ask(edge, "/search", alice).status

    held = time.monotonic()
    cable.hold()
    token = here.do("begin_session", "alice")
    unknown = threading.Thread(target=ask, args=(edge, "/search", {"Cookie": f"gatehouse={token}"}))
    unknown.start()  # waits for a look at the tables, and holds up nobody

    def said():
        return [ask(edge, "/search", shown).status for shown in (alice, mallory, stranger)]

    # What a slow machine answers later than this may be either.
    while (found := said()) and time.monotonic() - held < STALENESS / 2:
        assert [200, 403, 401] == found
    here.do("suspend", "alice")
    eventually(lambda: ask(edge, "/search", alice).status, 403)
    answer = ask(edge, "/crm", here.cookie("bob"))
    assert (403, "unavailable", "") == (answer.status, answer.headers["x-auth-reason"], answer.headers["x-user-email"])
    assert 503 == fetch(f"{edge.url}/readyz").status
    body = b'{"user_id": "bob@example.com", "group_id": "sales"}'
    assert 503 == fetch(f"{edge.url}/api/v1/groups/check", method="POST", body=body, headers=here.bearer("chat")).status

    cable.release()
    eventually(lambda: ask(edge, "/crm", here.cookie("bob")).status, 200)
    assert 401 == ask(edge, "/search", alice).status, "she was suspended meanwhile, and her session ended"
    unknown.join(HANG)
    assert not unknown.is_alive()
