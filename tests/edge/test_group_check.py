"""Is this person in this group? Asked by services, with a key, about anybody."""

import json

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from authz.decisions import facts as f
from authz.edge.group_check import MOST_CHECKS
from tests.people import (
    ALICE,
    CHAT,
    EPOCH,
    EVE,
    INTERNS,
    RETIRED,
    at,
    bearer,
    cookie,
    headers_of,
    judged,
    key,
    key_of,
    live_in,
    request,
    world,
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("house")
PATHS = ("/api/v1/groups/check", "/api/check-group")
SERVICE = bearer(key_of(CHAT))
NOW = 1_760_000_000.0


def asked(body, shown=SERVICE, *, target=PATHS[0], method="POST", **more):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = shown | {name.replace("_", "-"): value for name, value in more.items()}
    return judged(request(headers, target=target, method=method, body=raw))


def check(user, group, **more):
    answer = asked({"user_id": user, "group_id": group}, **more)
    assert 200 == answer.status, answer.body
    return json.loads(answer.body)["is_member"]


TABLE = {
    "directly": ("alice@example.com", "Interns", True),
    "through a nested group": ("alice@example.com", "engineering", True),
    "everybody who is active": ("mallory@example.com", "users", True),
    "with a comma in the name": ("bob@example.com", "R&D, Sales", True),
    "the case of the address": ("ALICE@Example.COM", "Interns", True),
    "the case of the name": ("alice@example.com", "iNTERNS", True),
    "space around both": ("  alice@example.com\n", " interns\t", True),
    "not in it": ("bob@example.com", "engineering", False),
    "never downwards": ("bob@example.com", "Interns", False),
    "nobody's groups": ("mallory@example.com", "engineering", False),
    "suspended, and a member by row": ("eve@example.com", "engineering", False),
    "suspended, and so not one of everybody": ("eve@example.com", "users", False),
    "a service is not one of everybody": ("chat@services.example.com", "users", False),
    "an unknown person": ("nobody@example.com", "users", False),
    "an unknown group": ("alice@example.com", "no such group", False),
    "nothing": ("", "", False),
    "half a name": ("alice@example.com", "intern", False),
    "a list in one": ("alice@example.com", "Interns,engineering", False),
    "a pattern": ("alice@example.com", "*", False),
    "a number as a text": ("1", "3", False),
    "control characters": ("alice@example.com\0", "Interns", False),
    "a lone surrogate": ("\ud800", "\ud800", False),
    "a look-alike": ("al\u0131ce@example.com", "Interns", False),
    "a full-width letter": ("\uff41lice@example.com", "Interns", False),
}


@pytest.mark.parametrize(("user", "group", "expected"), TABLE.values(), ids=TABLE)
def test_a_service_asks_who_is_in_which_group(user, group, expected):
    """Somebody unknown is a plain no: to the services that ask, an error is an outage."""
    assert expected is check(user, group)


@pytest.mark.parametrize("target", PATHS)
@pytest.mark.parametrize("shown", [SERVICE, {"X-API-Key": key_of(CHAT)}])
def test_both_addresses_and_both_ways_to_show_a_key_work(target, shown):
    answer = asked({"user_id": "alice@example.com", "group_id": "interns"}, shown, target=target)
    assert {"is_member": True, "revision": f"{EPOCH}.100"} == json.loads(answer.body)
    found = headers_of(answer)
    assert (f"{EPOCH}.100", "application/json", "no-store") == (
        found["authz-revision"], found["content-type"], found["cache-control"],
    )  # fmt: skip


def test_what_else_the_body_says_does_not_matter():
    assert check("alice@example.com", "interns", Content_Type="text/plain")
    answer = asked({"user_id": "alice@example.com", "group_id": "interns", "is_member": False, "extra": [1]})
    assert json.loads(answer.body)["is_member"]


def test_many_are_asked_at_once_and_answered_in_order_from_one_world():
    rows = list(TABLE.values())
    answer = asked({"checks": [{"user_id": user, "group_id": group} for user, group, _ in rows]})
    told = json.loads(answer.body)
    assert [expected for *_, expected in rows] == [each["is_member"] for each in told["results"]]
    assert f"{EPOCH}.100" == told["revision"]
    assert {"results": [], "revision": f"{EPOCH}.100"} == json.loads(asked({"checks": []}).body)


def test_a_thousand_at_once_and_no_more():
    one = {"user_id": "alice@example.com", "group_id": "interns"}
    assert MOST_CHECKS == len(json.loads(asked({"checks": [one] * MOST_CHECKS}).body)["results"])
    assert 400 == asked({"checks": [one] * (MOST_CHECKS + 1)}).status


def test_a_membership_that_ends_ends_here_too(monkeypatch):
    live_in(world(f.MemberIs(ALICE, INTERNS, NOW)))
    for moment, expected in ((NOW - 0.001, True), (NOW, False), (NOW + 1, False)):
        with at(monkeypatch, moment):
            assert expected == check("alice@example.com", "engineering")


STRANGERS = {
    "nothing": ({}, 401, "bad-credential"),
    "a session": (cookie(ALICE), 401, "bad-credential"),
    "an unknown key": (bearer(key_of(CHAT, 9)), 401, "bad-credential"),
    "a mistyped key": (bearer(key_of(CHAT)[:-1]), 401, "bad-credential"),
    "no key at all": (bearer("opaque"), 401, "bad-credential"),
    "two keys": (SERVICE | {"X-API-Key": key_of(ALICE)}, 401, "bad-credential"),
    "a key in the wrong header": ({"X-Proxy-Secret": key_of(CHAT)}, 401, "bad-credential"),
    "a person's key without the scope": (bearer(key_of(ALICE)), 403, "not-allowed"),
    "a suspended service's key": (bearer(key_of(RETIRED)), 403, "not-allowed"),
    "a suspended person's key": (bearer(key_of(EVE)), 403, "not-allowed"),
    "a key without the scope beside a session": (bearer(key_of(ALICE)) | cookie(ALICE), 403, "not-allowed"),
}


@pytest.mark.parametrize(("shown", "status", "code"), STRANGERS.values(), ids=STRANGERS)
def test_only_a_key_with_the_scope_opens_it(shown, status, code):
    answer = asked({"user_id": "alice@example.com", "group_id": "interns"}, shown)
    assert (status, code) == (answer.status, json.loads(answer.body)["error"])
    assert b"is_member" not in answer.body
    assert (status == 401) == ("www-authenticate" in headers_of(answer))


def test_a_key_with_the_one_scope_is_enough_and_one_with_all_others_is_not():
    live_in(world(key(ALICE, "groups:check"), key(CHAT, "use", "administer", "groups:read", "explain", "use:search")))
    assert check("alice@example.com", "interns", shown=bearer(key_of(ALICE)))
    assert 403 == asked({"user_id": "alice@example.com", "group_id": "interns"}).status


BAD = {
    "nothing": b"",
    "no JSON": b"user_id=alice@example.com",
    "half of it": b'{"user_id": "alice@example.com", "group_id": "inter',
    "a list": b"[]",
    "a text": b'"alice"',
    "null": b"null",
    "no group": {"user_id": "alice@example.com"},
    "no person": {"group_id": "interns"},
    "null for a person": {"user_id": None, "group_id": "interns"},
    "a number for a group": {"user_id": "alice@example.com", "group_id": 3},
    "a list for a group": {"user_id": "alice@example.com", "group_id": ["interns"]},
    "an object for a person": {"user_id": {"email": "alice@example.com"}, "group_id": "interns"},
    "true": {"user_id": True, "group_id": True},
    "checks that are no list": {"checks": {"user_id": "alice@example.com", "group_id": "interns"}},
    "a check that is no object": {"checks": ["alice"]},
    "one bad check among good ones": {"checks": [{"user_id": "a", "group_id": "b"}, {"user_id": "a"}]},
    "null checks": {"checks": None, "user_id": "alice@example.com", "group_id": "interns"},
    "no UTF-8": b'{"user_id": "\xff", "group_id": "x"}',
    "very deep": b'{"checks":' + b"[" * 100_000,
    "a very long number": b'{"checks":' + b"1" * 100_000 + b"}",
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_a_body_of_another_form_is_refused_and_says_why(body):
    answer = asked(body)
    assert (400, "bad-request") == (answer.status, json.loads(answer.body)["error"])
    assert json.loads(answer.body)["detail"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_only_post_asks(method):
    answer = asked({"user_id": "alice@example.com", "group_id": "interns"}, method=method)
    assert (405, "POST") == (answer.status, headers_of(answer)["allow"])


DEMANDS = {
    "the one it knows": (f"{EPOCH}.100", 200, None),
    "an older one": (f"{EPOCH}.1", 200, None),
    "a text that is none": ("100", 400, "bad-request"),
    "two": (f"{EPOCH}.1, {EPOCH}.2", 400, "bad-request"),
}


@pytest.mark.parametrize(("demanded", "status", "code"), DEMANDS.values(), ids=DEMANDS)
def test_a_caller_may_demand_a_revision(demanded, status, code):
    answer = asked({"user_id": "alice@example.com", "group_id": "interns"}, Authz_At_Least=demanded)
    assert (status, code) == (answer.status, json.loads(answer.body).get("error"))


@pytest.mark.django_db
@pytest.mark.parametrize("demanded", [f"{EPOCH}.999999", "00000000.1"])
def test_a_revision_that_is_not_there_is_an_outage_and_never_an_older_answer(demanded):
    answer = asked({"user_id": "alice@example.com", "group_id": "interns"}, Authz_At_Least=demanded)
    # The tables know nobody, so the key that asks is gone with the World in memory; either way it is no answer.
    assert answer.status in {401, 503}
    assert b"is_member" not in answer.body


def test_a_stranger_s_demand_costs_no_look_at_the_tables():
    """Looking would fail: there is no database here."""
    body = {"user_id": "alice@example.com", "group_id": "interns"}
    for shown in ({}, cookie(ALICE), bearer("ghk_x"), bearer(key_of(ALICE))):
        assert asked(body, shown, Authz_At_Least=f"{EPOCH}.999999").status in {401, 403}


def test_headers_that_come_twice_or_imitate_others_are_refused():
    body = json.dumps({"user_id": "alice@example.com", "group_id": "interns"}).encode()
    for more in (("Authorization", SERVICE["Authorization"]), ("X_API_Key", "x"), ("X-API-Key", "\0")):
        answer = judged(request([*SERVICE.items(), more], target=PATHS[0], method="POST", body=body))
        assert answer.status in {400, 401}


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=100) | st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=True) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["user_id", "group_id", "checks"]), inner, max_size=3),
    max_leaves=10,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_whatever_the_body_is_the_answer_is_one_of_two_kinds(house, body):
    answer = asked(body)
    assert answer.status in {200, 400}
    told = json.loads(answer.body)
    assert ("error" in told) == (answer.status == 400)
    assert not told.get("is_member")
