"""Which tool a request calls, where its headers can be believed, and that nothing else is believed."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.decisions import facts as f
from authz.edge.mcp_headers import HARMLESS, decoded
from authz.errors import UnreadableUrl
from tests.people import (
    ALICE,
    BOB,
    JIRA,
    JIRA_URL,
    SEARCH,
    SEARCH_URL,
    SERVERS,
    ask,
    cookie,
    judged,
    live_in,
    nginx,
    reason,
    request,
    world,
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("house")
NOW = "2026-07-28"


def encoded(name: str) -> str:
    return f"=?base64?{base64.b64encode(name.encode()).decode()}?="


def call(name="get_issue", *, method="tools/call", version=NOW, url=JIRA_URL, http="POST", person=ALICE, **more):
    said = {"MCP-Protocol-Version": version, "Mcp-Method": method, "Mcp-Name": name}
    return ask(
        url, cookie(person), {key: value for key, value in said.items() if value is not None}, method=http, **more
    )


TABLE = {
    "a granted tool": ({"name": "get_issue"}, 200),
    "another that fits the pattern": ({"name": "get_anything"}, 200),
    "a tool that is not granted": ({"name": "create_issue"}, 403),
    "a pattern is no tool": ({"name": "*"}, 403),
    "a tool in another case": ({"name": "Get_issue"}, 403),
    "a tool with a space": ({"name": " create_issue"}, 403),
    "a tool beyond ASCII": ({"name": encoded("søk")}, 200),
    "an ASCII tool, encoded": ({"name": encoded("get_issue")}, 200),
    "another tool, encoded": ({"name": encoded("create_issue")}, 403),
    "an encoded granted one inside": ({"name": f"get_{encoded('x')}"}, 200),
    "two lines that were joined": ({"name": "get_issue, create_issue"}, 403),
    "two lines that were joined, last first": ({"name": "create_issue, get_issue"}, 403),
    "two lines that were joined without a space": ({"name": "get_issue,create_issue"}, 403),
    "two that the pattern allows": ({"name": "get_issue, get_issue"}, 403),
    "a list with an empty element": ({"name": "get_issue,"}, 403),
    "a name with a space": ({"name": "get_issue create_issue"}, 403),
    "a list, encoded": ({"name": encoded("get_issue,create_issue")}, 403),
    "a name with a space, encoded": ({"name": encoded("get_issue create_issue")}, 403),
    "a name with a line break, encoded": ({"name": encoded("get_issue\ncreate_issue")}, 403),
    "a name with a NUL, encoded": ({"name": encoded("get_issue\0")}, 403),
    "a name with a zero-width space, encoded": ({"name": encoded("get_\u200bissue")}, 403),
    "two encoded": ({"name": f"{encoded('get_issue')}, {encoded('create_issue')}"}, 403),
    "a name in raw UTF-8": ({"name": "s\xc3\xb8k"}, 403),
    "broken base64": ({"name": "=?base64?x?="}, 403),
    "base64 of no UTF-8": ({"name": f"=?base64?{base64.b64encode(b'get_' + bytes([255])).decode()}?="}, 403),
    "no name": ({"name": None}, 403),
    "an empty name": ({"name": ""}, 403),
    "listing tools": ({"name": None, "method": "tools/list"}, 200),
    "saying hello": ({"name": None, "method": "server/discover"}, 200),
    "listing with a forbidden name": ({"name": "create_issue", "method": "tools/list"}, 200),
    "reading a resource": ({"method": "resources/read"}, 403),
    "a prompt": ({"method": "prompts/get"}, 403),
    "an unknown method": ({"method": "tools/call2"}, 403),
    "a method in another case": ({"method": "Tools/Call"}, 403),
    "two methods": ({"method": "tools/list, tools/call"}, 403),
    "no method": ({"method": None}, 403),
    "an older protocol": ({"version": "2025-11-25"}, 403),
    "a newer one that nobody knows": ({"version": "2027-01-01"}, 403),
    "two protocols": ({"version": f"{NOW}, 2025-11-25"}, 403),
    "no protocol": ({"version": None}, 403),
    "an empty protocol": ({"version": ""}, 403),
    "with GET": ({"http": "GET"}, 403),
    "with PUT": ({"http": "PUT"}, 403),
    "with post": ({"http": "post"}, 403),
    "beside the endpoint": ({"url": "https://mcp.example.com/jira"}, 403),
    "below the endpoint": ({"url": f"{JIRA_URL}/x"}, 403),
    "the endpoint with a slash": ({"url": f"{JIRA_URL}/"}, 200),
    "the endpoint with a query": ({"url": f"{JIRA_URL}?session=1"}, 200),
    "the endpoint, encoded": ({"url": "https://mcp.example.com/jira/%6Dcp"}, 200),
    "somebody else": ({"person": BOB}, 403),
}


@pytest.mark.parametrize(("asked", "expected"), TABLE.values(), ids=TABLE)
def test_alice_may_call_some_tools_of_jira_and_must_prove_which(asked, expected):
    assert expected == call(**asked).status


@pytest.mark.parametrize("method", sorted(HARMLESS))
def test_a_method_that_calls_no_tool_is_open_to_whoever_may_call_some(method):
    assert 200 == call(None, method=method).status
    assert 403 == call(None, method=method, person=BOB).status


@pytest.mark.parametrize("name", ["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"])
def test_a_header_that_comes_twice_proves_nothing(name):
    said = {"MCP-Protocol-Version": NOW, "Mcp-Method": "tools/call", "Mcp-Name": "get_issue"}
    twice = [*nginx(JIRA_URL, cookie(ALICE), said, method="POST").items(), (name, said[name])]
    assert 403 == judged(request(twice)).status


def test_where_a_grant_covers_every_tool_nothing_need_be_proven():
    assert 200 == call(None, method=None, version=None, url=SEARCH_URL).status
    assert 200 == ask(SEARCH_URL, cookie(ALICE)).status


def test_where_a_tool_is_switched_off_every_call_must_prove_that_it_is_another():
    off = SERVERS[SEARCH - 1]._replace(switched_off=("read",))
    live_in(world(off))
    assert (200, 403, 403) == tuple(call(name, url=SEARCH_URL).status for name in ("find", "read", None))
    assert 403 == ask(SEARCH_URL, cookie(ALICE)).status
    assert 200 == call(None, method="tools/list", url=SEARCH_URL).status


def test_the_headers_prove_nothing_to_what_is_no_mcp_server():
    """A plain web application compares no header with any body."""
    live_in(world(SERVERS[JIRA - 1]._replace(kind="web"), f.GrantIs(9, None, BOB, "use", JIRA, ("get_*",), None, ())))
    assert (403, "tool-unnamed") == ((answer := call(person=BOB)).status, reason(answer))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [("find", "find"), ("a.b/c-d", "a.b/c-d"), ("=?base64?", "=?base64?"), (encoded("søk"), "søk"), ("", "")],
)
def test_a_name_is_decoded(sent, expected):
    assert expected == decoded(sent)


ANY = st.text(st.characters(codec="utf-8"), max_size=9)
UNSAFE = st.characters(categories=["Cc", "Cf", "Zs", "Zl", "Zp"]) | st.sampled_from(",;")
TOOLS = st.sampled_from(["get_issue", "create_issue", "get_x"])


@given(ANY, UNSAFE, ANY)
def test_a_name_with_whatever_may_stand_between_two_is_refused_plain_and_encoded(before, between, after):
    name = f"get_{before}{between}{after}"
    for sent in (name.encode("utf-8", "replace").decode("latin-1"), encoded(name)):
        assert 403 == call(sent).status


@given(st.lists(TOOLS, min_size=2, max_size=4), st.text(" \t", max_size=3))
def test_lines_that_a_hop_joined_prove_nothing_in_whichever_order(names, space):
    assert 403 == call(f",{space}".join(names)).status


@pytest.mark.parametrize("sent", ["\x7f", "\x01", "ø", "=?base64?/w==?=", "=?base64?A?=", "\x80"])
def test_a_name_that_no_header_can_carry_is_refused(sent):
    with pytest.raises(UnreadableUrl):
        decoded(sent)
