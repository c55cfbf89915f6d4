"""Lets pages of the registered origins read an answer, and no other pages (CORS: Fetch Standard §3.3)."""

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from authz.conf import rpc_origins, socket_origins

KEPT = 600
"""Seconds for which a browser need not ask again whether it may ask."""


def for_pages(*, method: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Answer a browser that asks beforehand (OPTIONS), and tell it whose pages may read what comes of `method`."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @functools.wraps(view)
        def answer(request: HttpRequest, **parts: Any) -> HttpResponse:  # noqa: ANN401  parts of the path
            beforehand = request.method == "OPTIONS"
            response = HttpResponse(status=204, headers={"Allow": method}) if beforehand else view(request, **parts)
            patch_vary_headers(response, ("Origin",))
            origin = request.headers.get("Origin", "")
            if origin.lower() in socket_origins() | rpc_origins():
                response["Access-Control-Allow-Origin"] = origin
                response["Access-Control-Allow-Credentials"] = "true"
                if beforehand:
                    response["Access-Control-Allow-Methods"] = method
                    response["Access-Control-Allow-Headers"] = "content-type"
                    response["Access-Control-Max-Age"] = str(KEPT)
            return response

        return answer

    return decorate
