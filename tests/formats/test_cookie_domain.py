"""A cookie's domain is one that a browser would honour for the portal's host."""

import pytest

from authz.formats.cookie_domain import problem

KEPT = {
    "a domain above the host": ("example.com", "portal.example.com"),
    "far above it": ("example.com", "a.b.c.example.com"),
    "the host itself": ("portal.example.com", "portal.example.com"),
    "with a dot before it": (".example.com", "portal.example.com"),
    "in another case": ("Example.COM", "PORTAL.example.com"),
    "below a suffix of two parts": ("example.co.uk", "portal.example.co.uk"),
    "below a private suffix": ("acme.github.io", "portal.acme.github.io"),
    "in a network of one's own": ("acme.corp", "portal.acme.corp"),
    "an internationalized one": ("xn--exmple-cua.com", "portal.xn--exmple-cua.com"),
    "a host with a dot at its end": ("example.com", "portal.example.com."),
}


@pytest.mark.parametrize(("domain", "host"), KEPT.values(), ids=KEPT)
def test_a_browser_keeps_the_cookie(domain, host):
    assert problem(domain, host) is None


DROPPED = {
    "another domain": ("example.org", "portal.example.com", "is not in it"),
    "one that ends alike": ("example.com", "badexample.com", "is not in it"),
    "a host beside the portal": ("chat.example.com", "portal.example.com", "is not in it"),
    "one below the portal": ("a.portal.example.com", "portal.example.com", "is not in it"),
    "an address": ("https://example.com", "portal.example.com", "without a scheme"),
    "a path": ("example.com/chat", "portal.example.com", "without a scheme or a path"),
    "somebody at it": ("a@example.com", "portal.example.com", "without a scheme"),
    "a port": ("example.com:443", "portal.example.com", "without a port"),
    "a top-level domain": ("com", "portal.example.com", "public suffix"),
    "a suffix of two parts": ("co.uk", "portal.example.co.uk", "public suffix"),
    "a private suffix": ("github.io", "portal.github.io", "public suffix"),
    "a top-level domain that nobody knows": ("corp", "portal.corp", "public suffix"),
    "the name of this machine": ("localhost", "localhost", "public suffix"),
    "a wildcard": ("*.example.com", "portal.example.com", "no name of the DNS"),
    "a dot at its end": ("example.com.", "portal.example.com", "no name of the DNS"),
    "two dots": ("..example.com", "portal.example.com", "no name of the DNS"),
    "a space": ("example.com ", "portal.example.com", "no name of the DNS"),
    "two": ("example.com;example.org", "portal.example.com", "no name of the DNS"),
    "letters beyond ASCII": ("exämple.com", "portal.exämple.com", "xn--"),
    "an IPv4 address": ("192.0.2.1", "192.0.2.1", "IP address"),
    "an IPv6 address": ("2001:db8::1", "[2001:db8::1]", "IP address"),
    "a portal at an IP address": ("example.com", "192.0.2.1", "IP address"),
    "longer than any": (f"{'a.' * 200}example.com", "portal.example.com", "no name of the DNS"),
    "a megabyte": ("a" * 10**6, "portal.example.com", "no name of the DNS"),
}


@pytest.mark.parametrize(("domain", "host", "words"), DROPPED.values(), ids=DROPPED)
def test_a_browser_drops_the_cookie(domain, host, words):
    found = problem(domain, host)
    assert found is not None
    assert words in found
