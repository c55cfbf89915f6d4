"""Tells an error to a service, in JSON."""

from django.http import JsonResponse

from authz.errors import AuthzError
from authz.problems import extra_headers, status_and_code


def problem(error: AuthzError) -> JsonResponse:
    """Return {"error": a stable word, "detail": a sentence} with its status."""
    status, code = status_and_code(error)
    return JsonResponse({"error": code, "detail": str(error)}, status=status, headers=extra_headers(status))
