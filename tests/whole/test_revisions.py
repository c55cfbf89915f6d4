"""What one process takes away, another refuses: from the commit on, and to nobody else."""

import time

import pytest

from tests.acts import SECRET
from tests.credentials.issuer import key_for, published, signed
from tests.installation import ask, fetch
from tests.patience import eventually, until


def is_refused(reply, *, among=(401, 403)):
    """Return when the answer is no; how soon that is, the benchmark measures."""
    said = [200]

    def is_no():
        said.append(reply().status)
        return said[-1] != 200

    until(is_no, "a refusal")
    assert said[-1] in among


@pytest.fixture
def here(install):
    return install()


@pytest.fixture
def edge(here):
    return here.edge()


def test_whatever_is_revoked_is_refused_in_another_process(here, edge):
    def alice():
        return ask(edge, "/search", here.cookie("alice"))

    def alice_by_key():
        return ask(edge, "/search", here.bearer("alice"))

    def bob():
        return ask(edge, "/crm", here.cookie("bob"))

    def all_is_well():
        eventually(lambda: [reply().status for reply in (alice, alice_by_key, bob)], [200] * 3)

    all_is_well()
    for act, undo, reply in (
        (("leave", "alice", "interns"), ("join", "alice", "interns"), alice),
        (("switch_server", "search", False), ("switch_server", "search", True), alice_by_key),
    ):
        here.do(*act)
        is_refused(reply)
        assert 200 == bob().status
        here.do(*undo)
        all_is_well()

    here.do("end_sessions", "alice")
    is_refused(alice, among=(401,))
    assert (200, 200) == (alice_by_key().status, bob().status)

    here.do("revoke_keys", "alice")
    is_refused(alice_by_key, among=(401,))

    here.do("suspend", "bob")
    is_refused(bob)
    is_refused(lambda: ask(edge, "/crm", here.bearer("bob")), among=(403,))
    here.do("restore", "bob")
    assert 401 == bob().status, "a session that was ended came back"
    eventually(lambda: ask(edge, "/crm", here.bearer("bob")).status, 200)

    here.do("take_back", "sales", "crm")
    is_refused(lambda: ask(edge, "/crm", here.bearer("bob")), among=(403,))
    assert 0 == here.do("open_sessions", "bob")


def test_an_issuer_and_a_proxy_are_distrusted_in_another_process(here, edge):
    now = int(time.time())
    said = {"iss": "https://idp.example.com", "aud": "gatehouse", "email": "alice@example.com", "exp": now + 300}
    token = {"Authorization": f"Bearer {signed(said)}"}
    here.do("trust_issuer", published(key_for("ES256")))
    eventually(lambda: ask(edge, "/search", token).status, 200)
    here.do("switch_issuer", False)
    is_refused(lambda: ask(edge, "/search", token), among=(401,))
    assert 200 == ask(edge, "/search", here.cookie("alice")).status

    here.do("distrust_proxy")
    is_refused(lambda: ask(edge, "/search", here.cookie("alice")), among=(403,))
    whoami = fetch(f"{edge.url}/auth/validate", headers=here.cookie("alice"))
    assert (200, "alice@example.com") == (whoami.status, whoami.headers["x-user-email"])
    assert SECRET not in str(whoami)


def test_a_caller_that_knows_a_revision_is_never_answered_from_before_it(here, edge):
    """Read your own writes: who has just changed something names it, and waits or is told to."""
    asked = b'{"user_id": "alice@example.com", "group_id": "interns"}'
    for _ in range(5):
        here.do("leave", "alice", "interns")
        assert b'"is_member": false' in _said(here, edge, asked, here.do("revision"))
        here.do("join", "alice", "interns")
        assert b'"is_member": true' in _said(here, edge, asked, here.do("revision"))


def _said(here, edge, asked, demanded):
    headers = here.bearer("chat") | {"Authz-At-Least": demanded}
    reply = fetch(f"{edge.url}/api/v1/groups/check", method="POST", body=asked, headers=headers)
    assert 200 == reply.status, reply
    assert demanded == reply.headers["authz-revision"]
    return reply.body
