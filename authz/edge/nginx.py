"""nginx `auth_request`: the original URL in X-Original-URL, or its path in X-Original-URI beside Host.

Only 200, 401 and 403 mean anything to nginx; any other answer becomes a 500 to the client.
"""

from authz.edge.asked import Asked, last_hop
from authz.edge.request import Request


def read(request: Request) -> Asked:
    """Return what nginx asks; without any of its headers, only who the caller is."""
    headers = request.headers
    url, uri = headers.get("x-original-url"), headers.get("x-original-uri")
    address = headers.get("x-real-ip") or last_hop(headers.get("x-forwarded-for", ""))
    method = headers.get("x-original-method", "")
    if url is None and uri is None:
        if method or "x-forwarded-uri" in headers:
            return Asked(problem="The proxy forwards parts of a request and no URL.")
        return Asked(address=address, forwarded=False)
    if url is not None and uri is not None:
        # nginx hands on what a client sends under the name that its own configuration does not set.
        return Asked(problem="X-Original-URL and X-Original-URI are both set; the proxy must clear one.")
    if uri is not None:
        if not uri.startswith("/"):
            return Asked(problem="X-Original-URI is not a path.")
        url = f"{headers.get('x-forwarded-proto', 'http')}://{headers.get('host', '')}{uri}"
    if not url:
        return Asked(problem="X-Original-URL is empty.")
    return Asked(url, method, address)
