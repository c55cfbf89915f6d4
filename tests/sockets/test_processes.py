"""Several processes, with Redis and without: nothing depends on a nudge, and the roster knows who is really there."""

import http.cookiejar
import re
import signal
import time
import urllib.parse
import urllib.request
from typing import Any

import pytest

from tests.patience import HANG, eventually
from tests.sockets.live import House, connected, ended, is_alive, refused
from tests.sockets.upstream import application as an_application

REVOKED = (4001, "revoked")
CHANNEL = "asgi__group__gatehouse.changes"
"""What the processes listen to, as channels-redis names it."""


@pytest.fixture
def here(portal):
    with an_application() as application:
        made = House(portal())
        made.do("relay", "search", {"upstream": application.url})
        made.do("relay", "crm", {"upstream": application.url})
        yield made
        made.stop()


def people(here):
    """Return who is connected, by the first part of their address."""
    return sorted(each["person"].partition("@")[0] for each in here.do("roster"))


def test_a_nudge_through_redis_is_enough_and_nothing_is_lost_without(here, redis):
    """Two processes that do not look before the test is over, and one that does."""
    told = {"REDIS_URL": redis.url}
    blind = told | {"AUTHZ_POLL_INTERVAL_MS": "3600000", "AUTHZ_STALENESS_LIMIT": "36000"}
    first, second, looking = here.serve(**blind), here.serve(**blind), here.serve(**told)
    sessions = {name: here.browser(name) for name in ("alice", "bob")}
    with (
        connected(first, "/ws/search", **sessions["alice"]) as one,
        connected(second, "/ws/crm", **sessions["bob"]) as other,
    ):
        assert is_alive(one)
        assert is_alive(other)
        eventually(lambda: redis.listeners(CHANNEL), 3)
        # Changed in the second process, by its own page: the first learns of it through Redis alone.
        sign_out(second, here.sessions["alice"])
        assert REVOKED == ended(one)
        assert is_alive(other)
        redis.kill()
        again, how = begun_anew(here)
        with connected(first, "/ws/search", **how) as one_more, connected(looking, "/ws/search", **how) as seen:
            sign_out(second, again)
            assert REVOKED == ended(seen)
            assert is_alive(other)
            redis.start()
            eventually(lambda: redis.listeners(CHANNEL), 3)
            again, how = begun_anew(here)
            with connected(first, "/ws/search", **how) as yet_another:
                sign_out(second, again)
                assert REVOKED == ended(yet_another)
            # What nobody could be told meanwhile is seen with the next look.
            assert REVOKED == ended(one_more)
        assert is_alive(other)


def begun_anew(here) -> tuple[str, dict[str, Any]]:
    """Return a new session of Alice's, and how a browser connects with it."""
    again = here.do("begin_session", "alice")
    return again, {"headers": {"Cookie": f"gatehouse={again}"}, "origin": "https://chat.example.com"}


def sign_out(portal, session):
    """Sign out at the page, as a browser does."""
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    opener.addheaders = [("Cookie", f"gatehouse={session}")]
    with opener.open(f"{portal.url}/", timeout=HANG) as page:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())
    assert found
    csrf = next(cookie.value for cookie in jar if "csrf" in cookie.name.lower())
    opener.addheaders = [("Cookie", f"gatehouse={session}; csrftoken={csrf}")]
    body = urllib.parse.urlencode({"csrfmiddlewaretoken": found[1]}).encode()
    with opener.open(urllib.request.Request(f"{portal.url}/logout", data=body), timeout=HANG) as page:
        assert 200 == page.status


def test_without_redis_two_processes_see_each_others_changes_by_looking(here):
    first, second = here.serve(), here.serve()
    with (
        connected(first, "/ws/search", **here.browser("alice")) as one,
        connected(second, "/ws/search", **here.browser("alice")) as two,
        connected(second, "/ws/crm", **here.browser("bob")) as other,
    ):
        here.do("suspend", "alice")
        assert REVOKED == ended(one)
        assert REVOKED == ended(two)
        assert is_alive(other)


def test_the_roster_knows_every_process_and_forgets_one_that_was_killed(here):
    first, second = here.serve(), here.serve()
    with (
        connected(first, "/ws/search", **here.browser("alice")) as one,
        connected(second, "/ws/crm", **here.browser("bob")) as other,
    ):
        eventually(lambda: people(here), ["alice", "bob"])
        assert is_alive(one)
        eventually(lambda: [each["received"] for each in here.do("roster") if each["server"] == "search"], [12])
        first.stop(kill=True)
        eventually(lambda: people(here), ["bob"])
        assert is_alive(other)
    eventually(lambda: people(here), [])


def test_somebody_in_another_process_hangs_up(here):
    first, second = here.serve(), here.serve()
    with (
        connected(first, "/ws/search", **here.browser("alice")) as one,
        connected(second, "/ws/search", **here.browser("alice")) as two,
    ):
        assert is_alive(one)
        assert is_alive(two)
        here.do("hang_up", "alice")
        assert (4005, "disconnected") == ended(one)
        assert (4005, "disconnected") == ended(two)


def test_a_restart_tells_every_client_to_come_back(here):
    portal = here.serve()
    with (
        connected(portal, "/ws/search", **here.browser("alice")) as relayed,
        connected(portal, "/ws/rpc", **here.console("alice")) as interface,
    ):
        assert is_alive(relayed)
        portal.process.child.send_signal(signal.SIGTERM)
        assert 1012 == ended(relayed)[0]
        assert 1012 == ended(interface)[0]
    assert 0 == portal.stop()


def test_connections_are_limited_for_a_person_and_one_that_ends_makes_room(here):
    portal = here.serve(AUTHZ_SOCKET_MOST_PER_PERSON="2")
    with connected(portal, "/ws/search", **here.browser("alice")), connected(portal, "/ws/crm", **here.browser("bob")):
        with connected(portal, "/ws/search", **here.browser("alice")):
            assert (429, "limit") == refused(portal, "/ws/search", **here.browser("alice"))
            assert 101 == refused(portal, "/ws/crm", **here.browser("bob"))[0]
        eventually(lambda: refused(portal, "/ws/search", **here.browser("alice"))[0], 101)


@pytest.mark.parametrize("name", ["AUTHZ_SOCKET_MOST_PER_ADDRESS", "AUTHZ_SOCKET_MOST"])
def test_connections_are_limited_for_an_address_and_in_all(name, here):
    portal = here.serve(**{name: "2"})
    with connected(portal, "/ws/search", **here.browser("alice")), connected(portal, "/ws/crm", **here.browser("bob")):
        assert (429, "limit") == refused(portal, "/ws/rpc", **here.console("carol"))


def test_handshakes_are_limited_for_an_address(here):
    portal = here.serve(AUTHZ_SOCKET_HANDSHAKES_PER_MINUTE="3")
    begun, tried = time.monotonic(), 0
    while (found := refused(portal, "/ws/search", headers={"Authorization": "Bearer ghk_x"})) != (429, "limit"):
        assert (401, "bad-credential") == found
        tried += 1
        # Three at once, and one more for each twenty seconds that this takes on a slow machine.
        assert tried <= 3 + (time.monotonic() - begun) / 20
    assert tried >= 3


def test_without_a_database_everybody_stays_for_a_while_and_is_then_told_to_come_back(portal, postgres):
    with an_application() as application:
        here = House(portal(database="postgresql"))
        try:
            here.do("relay", "search", {"upstream": application.url})
            process = here.serve(AUTHZ_STALENESS_LIMIT="10")
            with connected(process, "/ws/search", **here.browser("alice")) as client:
                assert is_alive(client)
                with postgres.gone(here.portal.database_url):
                    assert is_alive(client)
                    assert (1013, "unavailable") == ended(client)
                    assert (503, "unavailable") == refused(process, "/ws/search", **here.browser("alice"))
            eventually(lambda: refused(process, "/ws/search", **here.browser("alice"))[0], 101)
        finally:
            here.stop()


def test_a_ticket_of_a_session_that_this_process_has_not_heard_of_is_good(here):
    served = here.serve(AUTHZ_POLL_INTERVAL_MS="3600000", AUTHZ_STALENESS_LIMIT="36000")
    here.do("end_sessions", "alice")
    here.do("begin_session", "alice")
    ticket = here.ticket("alice", "search")
    with connected(served, f"/ws/search?ticket={ticket}", origin="https://chat.example.com") as client:
        assert is_alive(client)
