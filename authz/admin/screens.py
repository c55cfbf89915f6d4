"""Every screen of the administration, in the order of its sidebar; importing this registers them."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group as DjangoGroup
from django.db.models import Model

from authz.admin.base import VerbAdmin
from authz.admin.connections import Connections
from authz.admin.directories import Directories
from authz.admin.grants import Grants
from authz.admin.groups import Groups
from authz.admin.issuers import Issuers
from authz.admin.keys import Keys
from authz.admin.memberships import Memberships
from authz.admin.people import People
from authz.admin.proxies import Proxies
from authz.admin.runs import Runs
from authz.admin.servers import Servers
from authz.admin.sessions import Sessions
from authz.models import (
    ApiKey,
    Connection,
    Grant,
    Group,
    Issuer,
    Membership,
    Proxy,
    Run,
    Server,
    Session,
    Source,
    User,
)

SCREENS: tuple[tuple[type[Model], type[VerbAdmin[Any]]], ...] = (
    (User, People),
    (Group, Groups),
    (Membership, Memberships),
    (Server, Servers),
    (Grant, Grants),
    (ApiKey, Keys),
    (Session, Sessions),
    (Connection, Connections),
    (Source, Directories),
    (Run, Runs),
    (Issuer, Issuers),
    (Proxy, Proxies),
)

# Django's own groups mean nothing here, and two things called group would be a trap.
admin.site.unregister(DjangoGroup)

for model, screen in SCREENS:
    admin.site.register(model, screen)
