"""nginx `auth_request`: the original URL in X-Original-URL, or its path in X-Original-URI beside Host.

Only 200, 401 and 403 mean anything to nginx; any other answer becomes a 500 to the client.
"""

from typing import Final

from authz.edge.asked import Asked, last_hop, whole_url
from authz.edge.request import Request
from authz.edge.trust import client_address

PARTS: Final = frozenset({"x-original-method", "x-forwarded-method", "x-forwarded-uri"})
"""Headers that tell of a request, so that a proxy which sends one means to have a URL judged."""


def read(request: Request) -> Asked:
    """Return what nginx asks; without any of its headers, only who the caller is."""
    headers = request.headers
    url, uri = headers.get("x-original-url"), headers.get("x-original-uri")
    address = address_of(headers)
    method = headers.get("x-original-method", "")
    if url is None and uri is None:
        if not PARTS.isdisjoint(headers):
            return Asked(problem="The proxy forwards parts of a request and no URL.")
        return Asked(address=address, forwarded=False)
    if url is not None and uri is not None:
        # nginx hands on what a client sends under the name that its own configuration does not set.
        return Asked(problem="X-Original-URL and X-Original-URI are both set; the proxy must clear one.")
    if uri is not None:
        url = whole_url(headers.get("x-forwarded-proto", "http"), headers.get("host", ""), uri)
        if not url:
            return Asked(problem="X-Original-URI is not a path, or Host or X-Forwarded-Proto is malformed.")
    if not url:
        return Asked(problem="X-Original-URL is empty.")
    return Asked(url, method, address)


def address_of(headers: dict[str, str]) -> str:
    """Return the client's address as nginx names it; if it names two, both, which is no address.

    One of them may be what a client has sent.
    """
    real, last = headers.get("x-real-ip", ""), last_hop(headers.get("x-forwarded-for", ""))
    if real and last and client_address(real) != client_address(last):
        return f"{real} or {last}"
    return real or last
