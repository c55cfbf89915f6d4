"""What went wrong for others, part two: which headers are believed, and which are sent."""

import hashlib
import re

import pytest

from authz.decisions import facts as f
from tests.people import (
    ALICE,
    BOB,
    CAROL,
    CRM_URL,
    FILES_URL,
    MALLORY,
    PROXY,
    SEARCH_URL,
    SECRET,
    ask,
    cookie,
    headers_of,
    judged,
    live_in,
    nginx,
    reason,
    request,
    world,
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("house")
IDENTITY = (
    "X-User-Email",
    "X-User-Id",
    "X-User-Name",
    "X-User-Groups",
    "Remote-User",
    "X-Auth-Request-Email",
    "X-Forwarded-User",
)
FORWARD = {
    "X-Forwarded-Method": "GET", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "mcp.example.com",
    "X-Forwarded-Uri": "/search", "X-Proxy-Secret": SECRET,
}  # fmt: skip


def spelled(name: str) -> set[str]:
    return {
        name, name.lower(), name.upper(), name.replace("-", "_"), name.replace("-", "."), name.replace("-", "_", 1),
        name.replace("-", "_").lower(),
    }  # fmt: skip


@pytest.mark.parametrize("name", IDENTITY)
def test_an_identity_header_is_never_an_input_in_any_spelling(name):
    """oauth2-proxy CVE-2025-64484, Traefik CVE-2026-54763, CVE-2026-88011: a variant of a removed header got in."""
    for variant in spelled(name):
        more = {variant: "carol@example.com"}
        assert 401 == ask(SEARCH_URL, more).status
        assert 403 == ask(SEARCH_URL, cookie(MALLORY), more).status
        assert "alice@example.com" == headers_of(ask(SEARCH_URL, cookie(ALICE), more))["x-user-email"]


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "192.168.0.1", PROXY])
def test_forwarded_headers_of_a_peer_that_is_no_proxy_choose_nothing(peer):
    """oauth2-proxy CVE-2026-40575: a client's X-Forwarded-Uri chose a path that needed no sign-in."""
    for target, said in (("/auth/validate", {"X-Original-URL": SEARCH_URL}), ("/auth/validate/forward", FORWARD)):
        bare = {name: value for name, value in said.items() if name != "X-Proxy-Secret"}
        assert 403 == judged(request(bare | cookie(ALICE), target=target, peer=peer)).status


def test_a_fresh_installation_trusts_nobody():
    """oauth2-proxy CVE-2026-76835: the guard defaulted to 0.0.0.0/0, so it guarded nothing."""
    live_in(world(f.ProxyGone(1)))
    for peer in ("127.0.0.1", "10.0.0.1", "203.0.113.1", "::1"):
        assert 403 == judged(request(nginx(SEARCH_URL, cookie(ALICE)), peer=peer)).status


@pytest.mark.parametrize("name", ["X-Forwarded-Uri", "X-Forwarded-Host", "X-Forwarded-Method", "X-Forwarded-Proto"])
def test_a_spoofed_alias_beside_the_real_header_is_a_denial(name):
    """Traefik CVE-2026-39858 and GHSA-5m6c-jp6f-2vcv's kin: an alias changed what was decided before sign-in."""
    for alias in (name.replace("-", "_"), name.replace("-", ".")):
        spoofed = FORWARD | cookie(ALICE) | {alias: "/jira"}
        assert 403 == judged(request(spoofed, target="/auth/validate/forward")).status
    assert 200 == judged(request(FORWARD | cookie(ALICE), target="/auth/validate/forward")).status


@pytest.mark.parametrize(
    "name", ["X-Forwarded-Prefix", "X-Forwarded-Port", "X-Forwarded-Server", "X-Forwarded-Scheme", "X-Scheme"]
)
def test_a_forwarded_header_that_is_not_on_the_list_is_not_read(name):
    """Traefik CVE-2026-35051: X-Forwarded-Prefix was passed on although it was not trusted."""
    assert 200 == judged(request(FORWARD | cookie(ALICE) | {name: "/jira"}, target="/auth/validate/forward")).status
    assert 403 == judged(request(FORWARD | cookie(BOB) | {name: "/jira"}, target="/auth/validate/forward")).status


@pytest.mark.parametrize("name", ["X-Forwarded-Method", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri"])
@pytest.mark.parametrize("value", [None, "", " ", "\t"])
def test_empty_metadata_is_a_denial(name, value):
    """Tinyauth GHSA-xg2q-62g2-cvcm: it went on with empty X-Forwarded headers."""
    said = FORWARD | cookie(ALICE)
    said.pop(name)
    said |= {} if value is None else {name: value}
    assert 403 == judged(request(said, target="/auth/validate/forward")).status


@pytest.mark.parametrize(
    "address", ["x", "1.2.3", "300.1.1.1", "192.0.2.1, x", "'", "192.0.2.1%", "::g", "0x7f000001", "1.2.3.4/8"]
)
def test_an_address_that_is_none_is_a_denial(address):
    """Authentik CVE-2024-47070 (CVSS 9.1): an unparsable X-Forwarded-For skipped the password.

    And heimdall CVE-2026-57210: texts that are no address were taken for one.
    """
    for name in ("X-Forwarded-For", "X-Real-IP"):
        answer = ask(SEARCH_URL, cookie(ALICE), {name: address})
        assert (403, "unreadable-url") == (answer.status, reason(answer))


@pytest.mark.parametrize(
    "chain", ["192.0.2.7, 203.0.113.1", "192.0.2.7,192.0.2.7,203.0.113.1", "192.0.2.7", "192.0.2.7, 192.0.2.7"]
)
def test_only_the_hop_that_the_proxy_saw_itself_counts(chain):
    """Authentik CVE-2023-36456, Authelia: the first element of X-Forwarded-For is whatever the client wrote."""
    expected = 200 if chain.rpartition(",")[2].strip() == "192.0.2.7" else 403
    assert expected == ask(FILES_URL, cookie(BOB), {"X-Forwarded-For": chain}).status


def test_every_answer_has_every_identity_header():
    """Caddy CVE-2026-30851, APISIX CVE-2026-31908: what the answer lacked, the client's own copy supplied."""
    for answer in (ask(SEARCH_URL, cookie(ALICE)), ask(SEARCH_URL), ask(SEARCH_URL, cookie(MALLORY)), ask("bad")):
        assert {"x-user-email", "x-user-id", "x-user-name", "x-user-groups"} <= set(headers_of(answer))


def test_header_names_are_sent_in_canonical_case():
    """Traefik CVE-2026-33433: a name in another case was set beside the client's, not over it."""
    names = [line.partition(b":")[0].decode() for line in ask(SEARCH_URL, cookie(ALICE)).identity.split(b"\r\n")[:-1]]
    assert names
    assert [] == [name for name in names if not re.fullmatch(r"[A-Z][a-z]*(-[A-Z][a-z]*)*", name)]


@pytest.mark.parametrize("byte", range(0x80, 0x100, 5))
def test_bytes_that_are_no_utf8_open_nothing_and_break_nothing(byte):
    """Envoy CVE-2023-27488: a header that was not UTF-8 broke the message, and failure_mode_allow let it pass."""
    for name in ("Cookie", "Authorization", "X-API-Key", "X-Original-URL", "X-Real-IP", "X-Proxy-Secret", "Mcp-Name"):
        said = nginx(SEARCH_URL, cookie(MALLORY)) | {"Authorization": "Bearer x", "Mcp-Name": "x"}
        answer = judged(request(said | {name: said.get(name, "").encode() + bytes([byte])}))
        assert answer.status in {401, 403}
        assert reason(answer) != "unavailable"


@pytest.mark.parametrize(
    "name", ["Host", "X-Original-URL", "X-Forwarded-Uri", "Authorization", "X-Real-IP", "X-API-Key"]
)
def test_a_header_that_comes_twice_is_a_denial(name):
    """Pomerium CVE-2021-39206 by Envoy CVE-2021-32777: of several values only one was checked."""
    said = [*nginx(SEARCH_URL, cookie(ALICE)).items()]
    assert judged(request([*said, (name, SEARCH_URL), (name, SEARCH_URL)])).status in {401, 403}


@pytest.mark.parametrize(
    "said", ["X-User-Email", "close, X-User-Email, X-User-Groups", "keep-alive, x-original-url, cookie"]
)
def test_naming_a_header_in_connection_takes_nothing_away(said):
    """Oathkeeper GHSA-w9mr-28mw-j8hg: a client had the next hop strip the identity that was just added."""
    answer = ask(SEARCH_URL, cookie(ALICE), {"Connection": said})
    assert (200, "alice@example.com") == (answer.status, headers_of(answer)["x-user-email"])
    assert "connection" not in headers_of(answer)


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "TRACE", "get", ""])
def test_no_method_is_let_through(method):
    """A preflight that is waved through is a way around in disguise."""
    more = {"Origin": "https://evil.com", "Access-Control-Request-Method": "GET"}
    assert 401 == ask(SEARCH_URL, more, method=method).status
    assert 403 == ask(SEARCH_URL, cookie(MALLORY), more, method=method).status


def test_a_websocket_is_never_redirected():
    """A browser follows no redirect in a handshake."""
    upgrade = {"Upgrade": "websocket", "Accept": "text/html"}
    assert 401 == judged(request(FORWARD | upgrade, target="/auth/validate/forward")).status
    assert 403 == judged(request(FORWARD | upgrade | cookie(MALLORY), target="/auth/validate/forward")).status


def test_the_client_certificate_of_a_header_is_nobody():
    """Keycloak CVE-2023-2422: a certificate's header was believed without its chain being checked."""
    for name in (
        "X-Client-Cert",
        "Ssl-Client-Cert",
        "X-Forwarded-Client-Cert",
        "X-SSL-Client-Verify",
        "X-SSL-Client-S-DN",
    ):
        assert 401 == ask(SEARCH_URL, {name: "CN=carol@example.com"}).status


def test_one_proxy_s_secret_is_not_another_s_network():
    """Each proxy's conditions hold together, or that proxy is not the one who asks."""
    other = f.ProxyIs(2, "other", hashlib.sha256(b"the other secret, quite long").hexdigest(), ("192.0.2.0/24",))
    live_in(world(other))
    said = {"X-Original-URL": CRM_URL, "X-Proxy-Secret": "the other secret, quite long"} | cookie(BOB)
    assert (200, 403) == tuple(judged(request(said, peer=peer)).status for peer in ("192.0.2.9", PROXY))
    assert 403 == ask(CRM_URL, cookie(CAROL)).status


@pytest.mark.parametrize("name", ["Host", "X-Forwarded-Host", "X-Forwarded-Server", "Forwarded", "Origin", "Referer"])
def test_the_address_of_the_login_page_is_ours_whatever_a_client_calls_us(name):
    """Zitadel GHSA-2wmj-46rj-qm2w: a link was built from X-Forwarded-Host, and led to the attacker."""
    for said in ("evil.com", "https://evil.com/", "host=evil.com"):
        where = headers_of(ask(SEARCH_URL, {name: said}))["location"]
        assert where.startswith("http://127.0.0.1:8000/login?rd=")
        assert "evil" not in where


@pytest.mark.parametrize("spell", [str.lower, str.upper, str.title])
def test_headers_are_known_in_any_case(spell):
    """Keycloak Gatekeeper CVE-2020-14359: names in lower case, as HTTP/2 sends them, bypassed it."""
    said = {spell(name): value for name, value in nginx(SEARCH_URL, cookie(ALICE)).items()}
    assert 200 == judged(request(said)).status
    assert 403 == judged(request(said | {spell("X-Original-URI"): "/search"})).status
