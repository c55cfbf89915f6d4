"""JSON-RPC 2.0 is read strictly, and whatever comes, what goes back is JSON-RPC 2.0."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.errors import (
    AuthzError,
    BadCredential,
    BadRequest,
    Behind,
    Conflict,
    InvalidName,
    NestingCycle,
    NoSuchThing,
    NotAllowed,
    Unavailable,
)
from authz.sockets.pace import Pace
from authz.sockets.rpc.jsonrpc import METHOD_NOT_FOUND, MOST_IN_A_BATCH, Wrong, answer, notification

ONE = '{"jsonrpc": "2.0", "id": 1, "method": "echo", "params": [1]}'
KNOWN = {"echo", "fail", "refuse", "mislead"}


def call(method, params):
    """Answer as a program would that has four methods."""
    if method not in KNOWN:
        raise Wrong(METHOD_NOT_FOUND, "there is no such method")
    if method == "fail":
        raise RuntimeError("a secret")
    if method == "refuse":
        raise NotAllowed("you may not")
    return float("nan") if method == "mislead" else params


def said(text):
    """Return what comes back, as values."""
    got = answer(text, call)
    return None if got is None else json.loads(got)


def asked(**members):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "echo"} | members)


def without(*names):
    return json.dumps({k: v for k, v in {"jsonrpc": "2.0", "id": 1, "method": "echo"}.items() if k not in names})


def test_a_request_is_answered():
    assert {"jsonrpc": "2.0", "id": 1, "result": [1]} == said(ONE) == said(ONE.encode())


IDS = {"a number": 7, "nought": 0, "less": -1, "very large": 10**300, "a text": "ä", "no text": "", "null": None}


@pytest.mark.parametrize("number", IDS.values(), ids=IDS)
def test_an_id_comes_back_as_it_was_sent(number):
    got = said(asked(id=number))
    assert (number, type(number)) == (got["id"], type(got["id"]))


@pytest.mark.parametrize("params", [{}, [], {"a": {"b": [None]}}, [1, "two", None, 3.5, True]])
def test_params_are_an_array_or_an_object_or_left_out(params):
    assert params == said(asked(params=params))["result"]
    assert {} == said(asked())["result"]


BAD = {
    "nothing": ("", -32700),
    "half a request": (ONE[:-1], -32700),
    "two requests": (ONE + ONE, -32700),
    "no UTF-8": (b'{"jsonrpc": "2.0", "id": 1, "method": "\xff"}', -32700),
    "UTF-16": (ONE.encode("utf-16"), -32700),
    "a byte order mark": ("\ufeff" + ONE, -32700),
    "a number that is none": (asked(params=[float("nan")]), -32700),
    "a number without end": (asked(params=[float("-inf")]), -32700),
    "a number beyond all": (ONE.replace("[1]", "[1e999]"), -32700),
    "a number of many digits": (ONE.replace("[1]", f"[{'1' * 10_000}]"), -32700),
    "nesting without end": ("[" * 100_000, -32700),
    "nested objects without end": ('{"a":' * 100_000, -32700),
    "a single quote": (ONE.replace('"', "'"), -32700),
    "a comma too many": (ONE[:-1] + ",}", -32700),
    "a comment": (ONE + "// why", -32700),
    "a number": ("1", -32600),
    "a text": ('"echo"', -32600),
    "null": ("null", -32600),
    "nothing said": ("{}", -32600),
    "an empty batch": ("[]", -32600),
    "a batch of too many": (f"[{','.join([ONE] * (MOST_IN_A_BATCH + 1))}]", -32600),
    "no version": (without("jsonrpc"), -32600),
    "another version": (asked(jsonrpc="1.0"), -32600),
    "a version that is a number": (asked(jsonrpc=2.0), -32600),
    "no method": (without("method"), -32600),
    "a method that is a number": (asked(method=1), -32600),
    "a method that is null": (asked(method=None), -32600),
    "params that are a text": (asked(params="bar"), -32600),
    "params that are null": (asked(params=None), -32600),
    "params that are a number": (asked(params=1), -32600),
    "an id with a fraction": (asked(id=1.5), -32600),
    "an id with a point": (ONE.replace('"id": 1', '"id": 1.0'), -32600),
    "an id with an exponent": (ONE.replace('"id": 1', '"id": 1e2'), -32600),
    "an id that is true": (asked(id=True), -32600),
    "an id that is a list": (asked(id=[1]), -32600),
    "an id that is an object": (asked(id={}), -32600),
    "a member that nobody knows": (asked(extra=1), -32600),
    "a name in another case": (without("method")[:-1] + ', "Method": "echo"}', -32600),
    "an answer": (json.dumps({"jsonrpc": "2.0", "id": 1, "result": 1}), -32600),
    "a member twice": (ONE[:-1] + ', "method": "fail"}', -32600),
    "a name twice in the params": (ONE.replace("[1]", '{"a": 1, "a": 2}'), -32600),
    "a name twice, spelled in two ways": (ONE.replace("[1]", '{"a": 1, "\\u0061": 2}'), -32600),
    "a name twice deep inside": (ONE.replace("[1]", '[[{"b": {"a": 1, "a": 1}}]]'), -32600),
    "a method that nobody knows": (asked(method="foobar"), -32601),
    "an empty method": (asked(method=""), -32601),
    "a method in another case": (asked(method="Echo"), -32601),
    "a reserved method": (asked(method="rpc.discover"), -32601),
    "a failure of ours": (asked(method="fail"), -32603),
    "an answer that JSON cannot say": (asked(method="mislead"), -32603),
    "a refusal": (asked(method="refuse"), -32001),
}


@pytest.mark.parametrize(("text", "code"), BAD.values(), ids=BAD)
def test_anything_else_is_refused_and_says_why(text, code):
    got = said(text)
    assert {"jsonrpc", "id", "error"} == set(got)
    assert code == got["error"]["code"]
    assert got["error"]["message"]
    assert "secret" not in got["error"]["message"]


def test_the_id_is_told_wherever_it_can_be_read_and_null_elsewhere():
    for text in (asked(params="bar"), asked(extra=1), without("method")):
        assert 1 == said(text)["id"]
    for text in ("{", "1", "[]", asked(id=1.5), ONE[:-1] + ', "id": 2}'):
        assert said(text)["id"] is None


NOTIFICATIONS = ("echo", "fail", "refuse", "mislead", "foobar", "rpc.x")


@pytest.mark.parametrize("method", NOTIFICATIONS)
def test_a_notification_is_never_answered_whatever_becomes_of_it(method):
    told = notification(method, {"a": 1})
    assert said(told) is None
    assert said(f"[{told},{told}]") is None
    assert [1] == [each["id"] for each in said(f"[{told},{ONE},{told}]")]


def test_what_is_not_even_a_notification_is_answered():
    """As the examples of the specification have it: without a method nobody can tell that it was meant as one."""
    assert (None, -32600) == (said('{"foo": "boo"}')["id"], said('{"foo": "boo"}')["error"]["code"])
    assert [None] * 3 == [each["id"] for each in said("[1,2,3]")]


def test_a_batch_is_answered_in_its_order_and_one_bad_part_spoils_no_other():
    batch = f'[{ONE},{{"foo": "boo"}},{notification("echo", {})},{asked(id="5", method="foobar")},{asked(id=9)}]'
    assert [(1, None), (None, -32600), ("5", -32601), (9, None)] == [
        (each["id"], each.get("error", {}).get("code")) for each in said(batch)
    ]
    assert MOST_IN_A_BATCH == len(said(f"[{','.join([ONE] * MOST_IN_A_BATCH)}]"))


ERRORS = {
    BadRequest: (-32602, "bad-request"),
    InvalidName: (-32602, "invalid-name"),
    NotAllowed: (-32001, "not-allowed"),
    BadCredential: (-32002, "bad-credential"),
    Unavailable: (-32003, "unavailable"),
    Behind: (-32003, "behind"),
    NoSuchThing: (-32004, "no-such-thing"),
    Conflict: (-32005, "conflict"),
    AuthzError: (-32003, "unavailable"),
}


@pytest.mark.parametrize(("error", "expected"), ERRORS.items(), ids=[each.__name__ for each in ERRORS])
def test_an_error_of_the_domain_has_its_code_and_its_word(error, expected):
    def refuse(_method, _params):
        raise error("why")

    got = json.loads(answer(ONE, refuse) or "")["error"]
    assert (*expected, "why") == (got["code"], got["data"]["error"], got["message"])


def test_a_kind_of_an_error_has_the_code_of_its_kind():
    def refuse(_method, _params):
        raise NestingCycle(("a", "b", "a"))

    assert -32005 == json.loads(answer(ONE, refuse) or "")["error"]["code"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PARTS = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.sampled_from(["2.0", "2.0", "2.0", "1.0", 2]),
        "id": st.integers() | st.text(max_size=5) | st.none() | st.floats() | st.booleans() | st.just([]),
        "method": st.sampled_from([*KNOWN, "foobar", "rpc.x", 1]),
        "params": VALUES,
        "extra": st.none(),
    },
)
TEXTS = st.binary(max_size=40) | (VALUES | PARTS | st.lists(PARTS, max_size=5)).map(json.dumps)


def is_an_answer(one):
    if one["jsonrpc"] != "2.0" or set(one) not in ({"jsonrpc", "id", "result"}, {"jsonrpc", "id", "error"}):
        return False
    error = one.get("error", {"code": -1, "message": ""})
    return (
        isinstance(one["id"], str | int | None) and isinstance(error["code"], int) and isinstance(error["message"], str)
    )


@given(TEXTS)
def test_whatever_comes_in_what_goes_out_is_json_rpc(text):
    got = answer(text, call)
    if got is None:
        return
    assert got.isascii()
    assert "\n" not in got
    found = json.loads(got, parse_constant=pytest.fail)
    assert all(is_an_answer(one) for one in (found if isinstance(found, list) else [found]))
    assert found != []


@given(
    st.lists(st.tuples(st.sampled_from(sorted(KNOWN)), st.integers() | st.text() | st.none()), min_size=1, max_size=9)
)
def test_every_id_of_a_batch_comes_back_exactly_and_in_order(parts):
    got = said(json.dumps([{"jsonrpc": "2.0", "id": number, "method": method} for method, number in parts]))
    assert [number for _, number in parts] == [each["id"] for each in got]


def test_a_client_may_send_much_at_once_and_then_only_as_fast_as_agreed():
    now = [0.0]
    pace = Pace(2, clock=lambda: now[0])
    assert [True] * 20 + [False] == [pace.allows() for _ in range(21)]
    now[0] = 0.5
    assert [True, False] == [pace.allows(), pace.allows()]
    now[0] = 1000.0
    assert [True, False, True, False] == [pace.allows(15), pace.allows(6), pace.allows(5), pace.allows()]
