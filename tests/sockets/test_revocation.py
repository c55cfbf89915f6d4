"""What is revoked in one process ends the connections of another, each with its reason, and nobody else's."""

import json
import time
from contextlib import ExitStack
from functools import partial
from itertools import cycle

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.patience import HANG, eventually
from tests.peers import redis
from tests.sockets.live import CONSOLE, connected, ended, is_alive

KEY = ECKey.generate_key("P-256", {"kid": "one", "use": "sig"}, private=True)
JWKS = json.dumps({"keys": [KEY.as_dict(private=False)]})


def token(name, lasts=600):
    """Return a JWT of the trusted issuer."""
    claims = {
        "iss": "https://idp.example.com", "aud": "gatehouse", "email": f"{name}@example.com",
        "exp": int(time.time()) + lasts,
    }  # fmt: skip
    return jwt.encode({"alg": "ES256", "kid": "one"}, claims, KEY)


@pytest.fixture(scope="module", autouse=True)
def issuer(here):
    """Trust one."""
    here.do("trust_issuer", JWKS)


@pytest.fixture(scope="module", params=["in one process", "in two with Redis"])
def processes(request, here, served, tmp_path_factory):
    """Return the processes that the connections are spread over."""
    if request.param == "in one process":
        yield [served]
        return
    with redis.running(tmp_path_factory.mktemp("redis")) as peer:
        both = [here.serve(REDIS_URL=peer.url) for _ in range(2)]
        yield both
        for each in both:
            each.stop()


@pytest.fixture
def everybody(here, processes):
    """Return connections of Alice's by each credential, and one of Bob's, all to an application."""
    with ExitStack() as stack:
        turn = cycle(processes)

        def open_one(path, **how):
            return stack.enter_context(connected(next(turn), path, **how))

        # Sessions that other tests ended are begun anew.
        cookie = {"Cookie": f"gatehouse={here.do('begin_session', 'alice')}"}
        found = {
            "session": open_one("/ws/search", headers=cookie, origin="https://chat.example.com"),
            "jwt": open_one("/ws/search", headers={"Authorization": f"Bearer {token('alice')}"}),
            "interface": open_one("/ws/rpc", headers=cookie, origin=CONSOLE),
            "bob": open_one("/ws/crm", **here.browser("bob")),
        }
        found["key"] = open_one("/ws/search", headers=here.bearer("alice"))
        yield found


REVOKED, NOT_ALLOWED, DISCONNECTED = (4001, "revoked"), (4004, "not-allowed"), (4005, "disconnected")
RELAYED = ("session", "jwt", "key")

ACTS = {
    "her sessions are ended": (["end_sessions", "alice"], ("session", "interface"), REVOKED, None),
    "the issuer is disabled": (["switch_issuer", False], ("jwt",), REVOKED, ["switch_issuer", True]),
    "she leaves the group": (["leave", "alice", "interns"], RELAYED, NOT_ALLOWED, ["join", "alice", "interns"]),
    "the server is switched off": (
        ["switch_server", "search", False], RELAYED, NOT_ALLOWED, ["switch_server", "search", True],
    ),
    "she is hung up": (["hang_up", "alice"], (*RELAYED, "interface"), DISCONNECTED, None),
    "she is suspended": (["suspend", "alice"], (*RELAYED, "interface"), REVOKED, ["restore", "alice"]),
    "her keys are revoked": (["revoke_keys", "alice"], ("key",), REVOKED, None),
}  # fmt: skip


@pytest.mark.parametrize(("act", "whose", "closing", "undo"), ACTS.values(), ids=ACTS)
def test_a_revocation_ends_what_rests_on_it(act, whose, closing, undo, here, processes, everybody):  # noqa: PLR0917  a table
    try:
        here.do(*act)
        for name in whose:
            assert closing == ended(everybody[name]), name
        for name, client in everybody.items():
            if name not in whose and name != "interface":
                assert is_alive(client), name
    finally:
        if undo:
            here.do(*undo)
        if act[0] == "revoke_keys":
            here.keys["alice"] = here.do("issue_key", "alice")
        for each in processes:
            again = {"headers": here.bearer("alice")}
            eventually(partial(_opens, each, again), expected=True)
            again = {"headers": {"Authorization": f"Bearer {token('alice')}"}}
            eventually(partial(_opens, each, again), expected=True)


def _opens(served, how):
    try:
        with connected(served, "/ws/search", **how):
            return True
    except Exception:  # noqa: BLE001  whatever keeps it shut
        return False


def test_a_membership_that_ends_takes_its_connection_along(here, served):
    here.do("join", "mallory", "interns")
    how = here.browser("mallory")
    eventually(lambda: _opens(served, how), expected=True)
    with connected(served, "/ws/search", **how) as client:
        assert is_alive(client)
        here.do("lend", "mallory", "interns", 6)
        assert is_alive(client)
        assert NOT_ALLOWED == ended(client)
    here.do("leave", "mallory", "interns")


def test_a_connection_is_told_of_its_end_and_ends_by_its_longest_life(here, served, application):
    here.do("relay", "crm", {"longest": 6, "notices": True})
    try:
        here.tell(served)
        with connected(served, "/ws/crm", **here.browser("bob")) as client:
            notice = json.loads(client.recv(timeout=HANG))
            assert 0 < notice.pop("seconds") <= 4
            assert {"type": "gatehouse.ending", "code": 4002, "reason": "lifetime"} == notice
            assert is_alive(client)
            # Whoever reads the notice opens the next connection before this one ends.
            with connected(served, "/ws/crm", **here.browser("bob")) as following:
                assert (4002, "lifetime") == ended(client)
                assert is_alive(following)
    finally:
        here.do("relay", "crm", {"longest": None, "notices": False})
    eventually(lambda: (1001, "lifetime") in application.closes, expected=True)


def test_a_token_that_expires_ends_its_connection(here, served):
    soon = token("alice", lasts=-24)  # a leeway of 30 seconds is granted
    with connected(served, "/ws/search", headers={"Authorization": f"Bearer {soon}"}) as client:
        assert is_alive(client)
        assert (4003, "credential-expired") == ended(client)
