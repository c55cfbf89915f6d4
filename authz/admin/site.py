"""The door of the administration: who is let in, and where everybody else is sent."""

import time
from collections.abc import Callable
from functools import update_wrapper
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from unfold.sites import UnfoldAdminSite

from authz.admin.who import administers
from authz.conf import signing_key
from authz.formats import return_address
from authz.lookups.attention import wanted

LOGIN_KEPT = 3600
"""Seconds in which a sign-in leads back to the page that asked for it."""

View = Callable[..., HttpResponse]


class Site(UnfoldAdminSite):
    """Django's admin without a sign-in, a password form or a history of its own."""

    index_title = "Overview"

    def __init__(self, name: str = "admin") -> None:
        """Drop Django's own way to delete rows: every screen has the verb's."""
        super().__init__(name)
        self.disable_action("delete_selected")

    def has_permission(self, request: HttpRequest) -> bool:
        """Tell whether the administration opens for this person."""
        return administers(request)

    def admin_view(self, view: View, cacheable: bool = False) -> View:  # noqa: FBT001, FBT002  Django's own signature
        """Let administrators in, show others that they may not, and send strangers to sign in."""
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ANN401  whatever the view takes
            if administers(request):
                answer: HttpResponse = inner(request, *args, **kwargs)
                return answer
            answer = no_entry(request) if request.user.is_authenticated else to_sign_in(request)
            add_never_cache_headers(answer)
            return answer

        return update_wrapper(guarded, inner)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Leave signing in to the one login page."""
        return to_sign_in(request, path=reverse("admin:index"))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Leave signing out to the one page that ends the session in the tables as well."""
        return redirect("logout")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead to one's own page, where the password is set by the verb."""
        return redirect("admin:authz_user_password", request.user.pk)

    def password_change_done(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead to the overview."""
        return redirect("admin:index")

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Say on the overview what needs attention, each with where to look."""
        told = []
        for each in wanted():
            number = each.run
            page = (
                reverse("admin:authz_run_change", args=(number,))
                if number
                else reverse("admin:authz_source_changelist")
            )
            state = {"failing": "is failing", "overdue": "is overdue", "waiting": "waits for approval"}[each.state]
            told.append({"directory": each.directory, "state": state, "words": each.words, "page": page})
        answer: HttpResponse = super().index(request, {"wanted": told, **(extra_context or {})})
        return answer

    def get_log_entries(self, request: HttpRequest) -> QuerySet[LogEntry]:
        """Return nothing: the book is the history."""
        return LogEntry.objects.none()

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """Return the screens in the order of the sidebar instead of the alphabet."""
        order = [model._meta.object_name for model in self._registry]  # noqa: SLF001  Django's public name for it
        found: list[dict[str, Any]] = super().get_app_list(request, app_label)
        for app in found:
            app["models"].sort(key=lambda each: order.index(each["object_name"]))
        return sorted(found, key=lambda app: app["app_label"] != "authz")


def to_sign_in(request: HttpRequest, path: str = "") -> HttpResponse:
    """Send somebody to the login page with a sealed address of this page, to which it leads back."""
    url = settings.PORTAL_URL + (path or request.get_full_path())
    rd = return_address.make(url, key=signing_key("return"), expires=int(time.time()) + LOGIN_KEPT)
    return HttpResponseRedirect(f"{reverse('login')}?{urlencode({'rd': rd})}")


def no_entry(request: HttpRequest) -> HttpResponse:
    """Tell somebody who is signed in that they may not administer; to sign in again would not help."""
    return render(request, "admin/no_entry.html", status=403)
