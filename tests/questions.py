"""Questions of every kind that a proxy may ask, to compare one way of answering them with another."""

from hypothesis import strategies as st

from tests.people import (
    ALICE,
    BOB,
    CRM_URL,
    EVE,
    FILES_URL,
    JIRA_URL,
    MALLORY,
    SEARCH_URL,
    SECRET,
    bearer,
    cookie,
    key_of,
    nginx,
)

NOW = 1_760_000_000.0
CALL = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "get_issue"}
PARTS = st.sampled_from(["url", "shown", "method", "call", "address", "secret", "more", "target", "peer"])
"""What two questions may differ in."""
SAID = st.fixed_dictionaries(
    {
        "url": st.sampled_from([SEARCH_URL, f"{SEARCH_URL}?a", JIRA_URL, CRM_URL, FILES_URL,
        "https://x.example.com/", "bad", None]),
        "shown": st.sampled_from([
            {}, cookie(ALICE), cookie(BOB), cookie(MALLORY), cookie(EVE), bearer(key_of(ALICE)), bearer(key_of(BOB)),
            {"X-API-Key": key_of(ALICE)}, {"X-API-Key": key_of(BOB)}, {"Cookie": "gatehouse=x"}, bearer("a.b.c"),
            cookie(ALICE) | bearer(key_of(BOB)), {"X-API-Key": key_of(ALICE)} | bearer(key_of(BOB)),
            {"Cookie": f"{cookie(ALICE)['Cookie']}; {cookie(BOB)['Cookie']}"}, cookie(BOB) | bearer("opaque"),
        ]),
        "method": st.sampled_from(["GET", "POST"]),
        "call": st.sampled_from([
            {}, CALL, CALL | {"Mcp-Name": "create_issue"}, CALL | {"Mcp-Method": "tools/list"},
            CALL | {"MCP-Protocol-Version": "2025-11-25"},
        ]),
        "address": st.sampled_from([{}, {"X-Real-IP": "192.0.2.1"}, {"X-Real-IP": "203.0.113.1"},
        {"X-Real-IP": "bad"}]),
        "secret": st.sampled_from([SECRET, "wrong"]),
        "more": st.sampled_from([{}, {"Accept": "text/html"}, {"X_Real_IP": "192.0.2.1"}, {"Upgrade": "websocket"},
        {"Upgrade": "h2c"}, {"Sec-WebSocket-Key": "x", "Origin": "https://mcp.example.com"},
        {"Sec-WebSocket-Key": "x", "Origin": "https://evil.example.org"}, {"Origin": "https://evil.example.org"}]),
        "target": st.sampled_from(["/auth/validate", "/auth", "/auth/validate/forward", "/auth/validate/envoy/search"]),
        "peer": st.sampled_from(["10.0.0.5", "127.0.0.1"]),
    }
)  # fmt: skip


def parts(said):
    """Return the headers, target, method and peer of one of them."""
    headers = nginx(said["url"], said["shown"], said["call"], said["address"], said["more"], method=said["method"])
    headers |= {"X-Proxy-Secret": said["secret"]}
    if "forward" in said["target"] or "envoy" in said["target"]:
        headers |= {"Host": "mcp.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "mcp.example.com",
                    "X-Forwarded-Uri": "/search", "X-Forwarded-Method": said["method"]}  # fmt: skip
    return {"headers": headers, "target": said["target"], "peer": said["peer"], "method": said["method"]}
