"""Whose forwarded headers are honoured: registered proxies, and nobody else."""

import hashlib

import pytest

from authz.decisions import facts as f
from authz.edge.trust import client_address, is_trusted
from tests.people import (
    ALICE,
    BOB,
    FILES_URL,
    SEARCH_URL,
    SECRET,
    cookie,
    headers_of,
    judged,
    live_in,
    nginx,
    reason,
    request,
    world,
)  # fmt: skip

OTHER = "another shared secret"
FORWARD = {
    "X-Forwarded-Method": "GET", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "mcp.example.com",
    "X-Forwarded-Uri": "/search",
}  # fmt: skip
ENVOY = {"Host": "mcp.example.com", "X-Forwarded-Proto": "https"}


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def trusting(*proxies: f.ProxyIs):
    """Return the World in which exactly these proxies are trusted."""
    return world(f.ProxyGone(1), *proxies)


BY_SECRET = f.ProxyIs(2, "by secret", hashed(SECRET), ())
BY_NETWORK = f.ProxyIs(3, "by network", "", ("10.0.0.0/24", "2001:db8::/32"))
BY_BOTH = f.ProxyIs(4, "by both", hashed(OTHER), ("192.0.2.0/24",))
BY_NEITHER = f.ProxyIs(5, "by neither", "", ())

TABLE = {
    # proxies, peer, secret: trusted
    "nobody trusts nobody": ((), "127.0.0.1", "", False),
    "no secret opens where none is registered": ((), "127.0.0.1", SECRET, False),
    "the secret from anywhere": ((BY_SECRET,), "203.0.113.1", SECRET, True),
    "another secret": ((BY_SECRET,), "203.0.113.1", OTHER, False),
    "no secret": ((BY_SECRET,), "10.0.0.1", "", False),
    "half the secret": ((BY_SECRET,), "10.0.0.1", SECRET[:-1], False),
    "the secret and a space": ((BY_SECRET,), "10.0.0.1", f"{SECRET} ", False),
    "the stored hash instead of the secret": ((BY_SECRET,), "10.0.0.1", hashed(SECRET), False),
    "from the network": ((BY_NETWORK,), "10.0.0.7", "", True),
    "from the network with a needless secret": ((BY_NETWORK,), "10.0.0.7", "needless", True),
    "from beside the network": ((BY_NETWORK,), "10.0.1.7", "", False),
    "from the network, mapped into IPv6": ((BY_NETWORK,), "::ffff:10.0.0.7", "", True),
    "from the IPv6 network": ((BY_NETWORK,), "2001:db8::7", "", True),
    "from this machine": ((BY_NETWORK,), "127.0.0.1", "", False),
    "from no address": ((BY_NETWORK,), "", "", False),
    "from a socket file": ((BY_NETWORK,), "/run/proxy.sock", "", False),
    "both hold": ((BY_BOTH,), "192.0.2.5", OTHER, True),
    "only the network holds": ((BY_BOTH,), "192.0.2.5", "", False),
    "only the secret holds": ((BY_BOTH,), "10.0.0.1", OTHER, False),
    "each half of another proxy": ((BY_SECRET, BY_BOTH), "192.0.2.5", SECRET, True),
    "halves of two proxies": ((BY_NETWORK, BY_BOTH), "10.0.1.1", OTHER, False),
    "a proxy without either is nobody": ((BY_NEITHER,), "127.0.0.1", "", False),
}


@pytest.mark.parametrize(("proxies", "peer", "secret", "expected"), TABLE.values(), ids=TABLE)
def test_a_proxy_is_known_by_its_secret_its_network_or_both(proxies, peer, secret, expected):
    here = trusting(*proxies)
    assert expected == is_trusted(here, peer, secret)
    assert expected == is_trusted(here, peer, secret), "what is remembered differs from what was found"


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/auth/validate", {"X-Original-URL": SEARCH_URL}),
        ("/auth/validate", {"X-Original-URI": "/search", "Host": "mcp.example.com"}),
        ("/validate", {"X-Original-URL": SEARCH_URL, "X-Original-Method": "GET"}),
        ("/auth/validate/forward", FORWARD),
        ("/auth/validate/envoy/search", ENVOY),
    ],
)  # fmt: skip
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "10.0.0.1", "", "169.254.1.2"])
def test_a_fresh_installation_honours_no_forwarded_header_at_all(target, headers, peer):
    live_in(trusting())
    answer = judged(request(headers | cookie(ALICE) | {"X-Proxy-Secret": SECRET}, target=target, peer=peer))
    assert (403, "unreadable-url") == (answer.status, reason(answer))
    assert b"not trusted" in answer.body


def test_whoever_is_not_a_proxy_may_still_ask_who_they_are():
    live_in(trusting())
    answer = judged(request(cookie(ALICE), peer="203.0.113.1"))
    assert (200, "alice@example.com") == (answer.status, headers_of(answer)["x-user-email"])


def test_a_client_s_address_counts_only_from_a_proxy_that_is_trusted():
    """Without a URL nothing is forwarded, and a stranger's X-Real-IP is not even read."""
    live_in(world())
    odd = cookie(ALICE) | {"X-Real-IP": "nonsense"}
    assert 200 == judged(request(odd, peer="203.0.113.1")).status
    assert 403 == judged(request(odd | {"X-Proxy-Secret": SECRET})).status


def test_a_proxy_that_is_distrusted_is_distrusted_at_once():
    asked = nginx(SEARCH_URL, cookie(ALICE))
    live_in(world())
    assert 200 == judged(request(asked)).status
    live_in(world(f.ProxyGone(1)))
    assert 403 == judged(request(asked)).status


def test_two_secrets_are_never_one():
    live_in(world())
    pair = [*nginx(FILES_URL, cookie(BOB), X_Real_IP="192.0.2.1").items(), ("X-Proxy-Secret", SECRET)]
    assert 403 == judged(request(pair)).status


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""), ("192.0.2.1", "192.0.2.1"), ("2001:DB8:0::1", "2001:db8::1"), ("192.0.2", None), ("1", None),
        ("192.0.2.1:80", "192.0.2.1"), ("192.0.2.1:", None), ("192.0.2.1:x", None), ("192.0.2.1:123456", None),
        ("[::1]", "::1"), ("[2001:db8::1]", "2001:db8::1"), ("[2001:db8::1]:443", "2001:db8::1"),
        ("[192.0.2.1]", None), ("[2001:db8::1", None), ("2001:db8::1]", None), ("fe80::1%eth0", None),
        ("::ffff:192.0.2.1", "192.0.2.1"), ("[::ffff:192.0.2.1]:8", "192.0.2.1"),
        ("unknown", None), ("_hidden", None), ("192.0.2.1 ", None), ("192.0.2.1\n", None), ("010.0.0.1", None),
        ("1" * 65, None), ("١٩٢.0.2.1", None), ("192.0.2.1, 192.0.2.2", None),
    ],
)  # fmt: skip
def test_an_address_has_one_spelling(text, expected):
    assert expected == client_address(text)
