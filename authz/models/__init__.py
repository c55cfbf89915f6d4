"""Every table, one file per noun; thin: fields, constraints, and how a row is called."""

from authz.models.api_key import ApiKey
from authz.models.change import Change, Revision
from authz.models.connection import Connection, SocketProcess
from authz.models.grant import Grant
from authz.models.group import Group, Membership, Nesting, Ownership
from authz.models.issuer import Issuer
from authz.models.person import User
from authz.models.proxy import Proxy
from authz.models.server import Route, Server, Tool
from authz.models.session import Session
from authz.models.sign_in import FailedSignIn
from authz.models.source import (
    ForeignGroup,
    ForeignMember,
    ForeignNest,
    Identity,
    ProviderSession,
    Rule,
    Run,
    Source,
    SpentToken,
    Toll,
)
from authz.models.ticket import Ticket
from authz.models.tombstone import Tombstone

__all__ = [
    "ApiKey",
    "Change",
    "Connection",
    "FailedSignIn",
    "ForeignGroup",
    "ForeignMember",
    "ForeignNest",
    "Grant",
    "Group",
    "Identity",
    "Issuer",
    "Membership",
    "Nesting",
    "Ownership",
    "ProviderSession",
    "Proxy",
    "Revision",
    "Route",
    "Rule",
    "Run",
    "Server",
    "Session",
    "SocketProcess",
    "Source",
    "SpentToken",
    "Ticket",
    "Toll",
    "Tombstone",
    "Tool",
    "User",
]
