"""Once the World is known, an answer is pure memory."""

import pytest

from audit.context import Actor
from authz.changes import api_keys, grants, groups, memberships, people, proxies, servers
from authz.lookups.build import build
from tests.people import SECRET, bearer, judged, live_in, nginx, request

pytestmark = pytest.mark.django_db
BY = Actor.command("tests")
URL = "https://mcp.example.com/search"


@pytest.fixture
def keys():
    """Return the keys of Alice and of a service, in a World built from real tables."""
    alice = people.create(email="alice@example.com", by=BY)
    chat = people.create(email="chat@example.com", is_human=False, by=BY)
    engineering = groups.create(name="engineering", by=BY)
    memberships.give(person=alice, group=engineering, by=BY)
    search = servers.create(name="search", by=BY)
    servers.add_route(search, host="mcp.example.com", prefix="/search", by=BY)
    grants.give(group=engineering, server=search, by=BY)
    proxies.trust(name="nginx", secret=SECRET, by=BY)
    texts = {
        name: api_keys.issue(person=person, name="a key", scopes=scopes, by=BY).text
        for name, person, scopes in (("alice", alice, ["use"]), ("chat", chat, ["groups:check"]))
    }
    live_in(build())
    return texts


def test_a_warm_validate_asks_the_database_nothing(keys, django_assert_num_queries):
    asked = nginx(URL, bearer(keys["alice"]))
    with django_assert_num_queries(0):
        assert [200] * 3 == [judged(request(asked)).status for _ in range(3)]


def test_a_refusal_asks_the_database_nothing(keys, django_assert_num_queries):
    """Nonsense costs no query, or anybody could keep the database busy."""
    with django_assert_num_queries(0):
        for shown in ({}, bearer("ghk_x"), bearer("a.b.c"), {"Cookie": "gatehouse=x"}, bearer(keys["chat"])):
            assert judged(request(nginx(URL, shown))).status in {401, 403}


def test_a_warm_group_check_asks_the_database_nothing(keys, django_assert_num_queries):
    body = b'{"user_id": "alice@example.com", "group_id": "Engineering"}'
    asked = request(bearer(keys["chat"]), target="/api/v1/groups/check", method="POST", body=body)
    with django_assert_num_queries(0):
        answers = [judged(asked) for _ in range(3)]
    assert [200] * 3 == [answer.status for answer in answers]
    assert all(b'"is_member": true' in answer.body for answer in answers)
