"""Whatever is asked in process, the answer is one of those we know, and never a yes for whom it is not meant."""

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from authz.edge.paths import EXACT, judge_of
from authz.edge.request import KNOWN
from tests.people import (
    ALICE,
    BOB,
    CHAT,
    CRM_URL,
    EVE,
    FILES_URL,
    JIRA_URL,
    MALLORY,
    SEARCH_URL,
    SECRET,
    bearer,
    cookie,
    headers_of,
    judged,
    key_of,
    request,
)  # fmt: skip
from tests.run.examples import examples

TARGETS = st.sampled_from([*EXACT, "/auth/validate/envoy/search", "/auth/validate/envoy/../x"]).flatmap(
    lambda target: st.sampled_from([target, f"{target}?x=1"])
)
NAMES = st.sampled_from([*sorted(KNOWN), "x_original_url", "x.real.ip", "x-user-email", "connection"]) | st.text(
    max_size=6
)
VALUES = (
    st.sampled_from([SEARCH_URL, JIRA_URL, CRM_URL, FILES_URL, "/search", "mcp.example.com", "https", "GET", "POST",
    SECRET,
                     "192.0.2.1", "2026-07-28", "tools/call", "tools/list", "find", "text/html", "websocket", ""])
    | st.text(max_size=20)
    | st.binary(max_size=20)
)  # fmt: skip
NOBODY = [
    {},
    cookie(MALLORY),
    bearer(key_of(MALLORY)),
    cookie(EVE),
    bearer(key_of(EVE)),
    {"Cookie": "gatehouse=x"},
    bearer("a.b.c"),
]
VALIDATE = ("/auth", "/validate")


def sent(name: object, value: object) -> tuple[str, bytes]:
    raw = value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
    return str(name).encode("utf-8", "replace").decode("latin-1"), raw


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(500))
@given(
    st.text(max_size=8) | st.sampled_from(["GET", "POST", "HEAD"]), TARGETS, st.lists(st.tuples(NAMES, VALUES),
    max_size=8),
    st.binary(max_size=40), st.sampled_from(NOBODY), st.booleans(),
)  # fmt: skip
def test_nobody_gets_a_yes_for_an_address(  # noqa: PLR0917  hypothesis fills them in
    house, method, target, headers, body, shown, trusted
):
    pairs = [sent(*each) for each in headers] + list(shown.items()) + ([("X-Proxy-Secret", SECRET)] if trusted else [])
    asked = request(pairs, target=target, method=method, body=body)
    answer = judged(asked)
    assert answer.status in {200, 302, 303, 400, 401, 403, 405, 503}
    assert not set(answer.body) & {0, 13}
    found = headers_of(answer)
    if target.partition("?")[0].startswith(VALIDATE):
        assert {"x-user-email", "x-user-groups", "cache-control", "x-auth-expires"} <= set(found)
        assert found["x-user-email"] in {"", "mallory@example.com"}
        named = {"x-original-url", "x-original-uri"} & set(asked.headers)
        assert answer.status != 200 or (not named and found["x-user-email"])
    elif b"is_member" in answer.body:
        raise AssertionError(answer)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(500))
@given(
    st.sampled_from(["/auth/validate", "/auth/validate/forward", "/auth/validate/envoy/crm"]),
    st.lists(st.tuples(NAMES, VALUES), max_size=8), st.sampled_from([cookie(ALICE), bearer(key_of(ALICE))]),
)  # fmt: skip
def test_alice_never_gets_to_what_is_bob_s(house, target, headers, shown):
    """Whatever stands beside it, an address of Bob's is not opened for her, nor does she become him."""
    pairs = [("X-Proxy-Secret", SECRET), ("X-Original-URL", CRM_URL), ("X-Forwarded-Host", "crm.example.com")]
    pairs += [
        ("X-Forwarded-Uri", "/"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Method", "GET"),
        ("Host", "crm.example.com"),
    ]
    answer = judged(request(pairs + list(shown.items()) + [sent(*each) for each in headers], target=target))
    assert 200 != answer.status
    assert "" == headers_of(answer)["x-user-email"]


@given(st.text(max_size=40))
def test_a_target_is_the_edge_s_only_in_its_exact_spelling(text):
    path = text.partition("?")[0]
    assert (judge_of(text) is not None) == (path in EXACT or path.startswith("/auth/validate/envoy/"))


def test_the_service_that_checks_groups_is_let_into_no_application(house):
    for url in (SEARCH_URL, CRM_URL, FILES_URL, None):
        headers = {"X-Proxy-Secret": SECRET} | ({"X-Original-URL": url} if url else {}) | bearer(key_of(CHAT))
        assert 403 == judged(request(headers)).status
    assert (
        403
        == judged(
            request({"X-Proxy-Secret": SECRET, "X-Original-URL": CRM_URL} | cookie(BOB) | bearer(key_of(CHAT)))
        ).status
    )
