"""Envoy ext_authz over HTTP: the original method, Host, and path behind a prefix."""

from typing import Final

from authz.edge.asked import Asked, Refusal, last_hop, whole_url
from authz.edge.request import Request

PREFIX: Final = "/auth/validate/envoy"


def read(request: Request) -> Asked:
    """Return what Envoy asks; its configuration adds X-Forwarded-Proto."""
    headers = request.headers
    url = whole_url(headers.get("x-forwarded-proto", ""), headers.get("host", ""), request.target[len(PREFIX) :])
    if not url:
        return Asked(refusal=Refusal.REDIRECT, problem="Envoy must keep path and Host, and add X-Forwarded-Proto.")
    return Asked(url, request.method, last_hop(headers.get("x-forwarded-for", "")), Refusal.REDIRECT)
