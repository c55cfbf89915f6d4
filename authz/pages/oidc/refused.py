"""The page that says why a sign-in by a provider came to nothing."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from authz.directory.oidc.provider import title_of
from authz.models import Source

OVER = "This sign-in was used already, took longer than ten minutes, or was begun in another browser."


def page(request: HttpRequest, *, words: str, status: int, source: Source | None = None, rd: str = "") -> HttpResponse:
    """Return it, with a way to begin anew."""
    title = title_of(source) if source is not None else ""
    return render(request, "pages/not_signed_in.html", {"words": words, "title": title, "rd": rd}, status=status)
