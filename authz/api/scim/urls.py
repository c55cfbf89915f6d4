"""The addresses of the SCIM server; the token alone says of which directory they are."""

from django.urls import re_path

from authz.api.scim import discovery, groups, users

urlpatterns = [
    re_path(r"^Users/?$", users.collection),
    re_path(r"^Users/\.search$", users.search),
    re_path(r"^Users/(?P<key>[^/]+)/?$", users.item),
    re_path(r"^Groups/?$", groups.collection),
    re_path(r"^Groups/\.search$", groups.search),
    re_path(r"^Groups/(?P<key>[^/]+)/?$", groups.item),
    re_path(r"^ServiceProviderConfig/?$", discovery.provider),
    re_path(r"^Schemas/?$", discovery.schemas),
    re_path(r"^Schemas/(?P<key>[^/]+)/?$", discovery.schema),
    re_path(r"^ResourceTypes/?$", discovery.types),
    re_path(r"^ResourceTypes/(?P<key>[^/]+)/?$", discovery.kind),
    re_path(r"^(?:Bulk|Me|\.search)/?$", discovery.unsupported),
    re_path(r"^.*$", discovery.nothing),
]
