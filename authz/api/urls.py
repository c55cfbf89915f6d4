"""The addresses of the JSON interface; the group check itself is answered by the edge."""

from django.urls import path

from authz.api import connections, explain, groups, search, tickets

urlpatterns = [
    path("users/<path:email>/groups", groups.of_person),
    path("users/<path:email>/connections", connections.end_all),
    path("connections", connections.show),
    path("connections/<slug:name>", connections.end),
    path("tickets", tickets.issue),
    path("explain", explain.show),
    path("search/people", search.people),
    path("search/servers", search.servers),
]
