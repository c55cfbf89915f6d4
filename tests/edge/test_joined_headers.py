"""Whatever joins two lines of one header on the way (RFC 9110 §5.3), nothing is opened by what they become.

HAProxy joins what comes twice by ", ", and others do without the space. So each header that we read once is sent as a
list of something that opens and something that does not, in both orders.
"""

import pytest

from authz.edge.request import JOINED, KNOWN
from tests.people import ALICE, BOB, CRM_URL, JIRA_URL, SEARCH_URL, SECRET, bearer, cookie, judged, key_of, request

pytestmark = pytest.mark.usefixtures("house")
HOST = {"X-Forwarded-Proto": "https", "X-Forwarded-Method": "GET"}
NGINX = {"X-Proxy-Secret": SECRET, "X-Original-URL": SEARCH_URL, "X-Original-Method": "GET"}
FORWARD = HOST | {"X-Proxy-Secret": SECRET, "X-Forwarded-Host": "mcp.example.com", "X-Forwarded-Uri": "/search"}
CALL = NGINX | {"X-Original-URL": JIRA_URL, "X-Original-Method": "POST", "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "tools/call", "Mcp-Name": "get_issue"}  # fmt: skip

OPENS = {
    "authorization": ("/auth/validate", NGINX | bearer(key_of(ALICE)), f"Bearer {key_of(BOB)}"),
    "x-api-key": ("/auth/validate", NGINX | {"X-API-Key": key_of(ALICE)}, key_of(BOB)),
    "mcp-method": ("/auth/validate", CALL | cookie(ALICE), "resources/read"),
    "mcp-name": ("/auth/validate", CALL | cookie(ALICE), "create_issue"),
    "mcp-protocol-version": ("/auth/validate", CALL | cookie(ALICE), "2025-11-25"),
    "x-forwarded-host": ("/auth/validate/forward", FORWARD | cookie(ALICE), "crm.example.com"),
    "x-forwarded-proto": ("/auth/validate/forward", FORWARD | cookie(ALICE), "http"),
    "x-forwarded-uri": ("/auth/validate/forward", FORWARD | cookie(ALICE), "/crm"),
    "x-original-method": ("/auth/validate", CALL | cookie(ALICE), "GET"),
    "x-original-url": ("/auth/validate", NGINX | cookie(ALICE), CRM_URL),
    "x-proxy-secret": ("/auth/validate", NGINX | cookie(ALICE), "another secret that is long"),
}
"""Header, and a request that it opens as it stands, and what stands beside it in the list."""
OPENS_NOTHING = frozenset({
    "accept", "sec-fetch-mode", "upgrade", "x-requested-with",  # how a refusal is told
    "authz-at-least", "content-type", "host", "origin", "x-forwarded-method", "x-original-uri", "x-real-ip",
    "sec-websocket-key", "sec-websocket-version",
}) | JOINED.keys()  # fmt: skip
"""Headers that open nothing alone: they narrow, or are read as lists."""


def test_every_header_that_is_read_once_is_here():
    assert KNOWN == OPENS.keys() | OPENS_NOTHING


def sent(target, headers):
    return judged(request(list(headers.items()), target=target, method="GET")).status


@pytest.mark.parametrize("glue", [",", ", ", ";", " ", "\t,\t"])
@pytest.mark.parametrize("name", OPENS)
def test_a_list_opens_nothing(name, glue):
    target, headers, other = OPENS[name]
    assert 200 == sent(target, headers)
    (spelling,) = (each for each in headers if each.lower() == name)
    for values in ([headers[spelling], other], [other, headers[spelling]]):
        assert 200 != sent(target, headers | {spelling: glue.join(values)})
