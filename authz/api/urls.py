"""The addresses of the JSON interface; the group check itself is answered by the edge."""

from django.urls import path

from authz.api import explain, groups, search

urlpatterns = [
    path("users/<path:email>/groups", groups.of_person),
    path("explain", explain.show),
    path("search/people", search.people),
    path("search/servers", search.servers),
]
