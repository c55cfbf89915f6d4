"""Traefik, Caddy, HAProxy and APISIX: X-Forwarded-Method, -Proto, -Host, -Uri and -For, and answers passed through."""

from authz.edge.asked import Asked, Refusal, last_hop, whole_url
from authz.edge.request import Request


def read(request: Request) -> Asked:
    """Return what the proxy asks; every part of the URL must be there."""
    headers = request.headers
    url = whole_url(
        headers.get("x-forwarded-proto", ""), headers.get("x-forwarded-host", ""), headers.get("x-forwarded-uri", "")
    )
    method = headers.get("x-forwarded-method", "")
    if not (url and method.strip()):
        return Asked(
            refusal=Refusal.REDIRECT,
            problem="X-Forwarded-Method, -Proto, -Host and -Uri must all be set by the proxy.",
        )
    return Asked(url, method, last_hop(headers.get("x-forwarded-for", "")), Refusal.REDIRECT)
