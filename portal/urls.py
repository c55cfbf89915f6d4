"""The table of contents of the HTTP surface; `authz.edge.paths` answers its own before this is asked."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from portal import health

urlpatterns = [
    path("healthz", health.show),
    path("", include("authz.pages.urls")),
    # One login page for everybody: the administration has none of its own that could be weaker.
    path("admin/login/", RedirectView.as_view(pattern_name="login")),
    path("admin/logout/", RedirectView.as_view(pattern_name="logout")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("authz.api.urls")),
    path("scim/v2/", include("authz.api.scim.urls")),
]
