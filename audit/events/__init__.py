"""The vocabulary of the book: everything that is recorded, by its name.

An event is a frozen value of plain strings, numbers, yes or no, tuples of strings, and mappings of changed fields. It
outlives what it speaks of, so it holds names and never objects. A moment is written as ISO 8601 in UTC.

A new kind is a class here and a line in docs/audit.md. Kinds and fields are never renamed: entries already written
keep their words, and their hashes.
"""

from audit.events.base import KINDS, Changes, Event
from audit.events.connections import ConnectionHungUp, ConnectionsHungUp, TicketIssued
from audit.events.decisions import DecisionMade, SpoolDamaged
from audit.events.grants import GrantChanged, GrantGiven, GrantRemoved
from audit.events.groups import (
    GroupChanged,
    GroupCreated,
    GroupNested,
    GroupRemoved,
    GroupUnnested,
    MembershipChanged,
    MembershipGiven,
    MembershipRemoved,
    OwnerAdded,
    OwnerRemoved,
)
from audit.events.keys import KeyChanged, KeyIssued, KeyRevoked, KeyRotated
from audit.events.people import (
    PasswordSet,
    PersonChanged,
    PersonCreated,
    PersonRemoved,
    PersonRestored,
    PersonSuspended,
    SessionEnded,
    SessionStarted,
    SignInRefused,
)
from audit.events.servers import (
    RouteAdded,
    RouteRemoved,
    ServerChanged,
    ServerCreated,
    ServerDisabled,
    ServerEnabled,
    ServerRemoved,
    ToolAdded,
    ToolChanged,
    ToolRemoved,
)
from audit.events.trust import (
    HistoryBegun,
    IssuerChanged,
    IssuerDisabled,
    IssuerEnabled,
    IssuerRemoved,
    IssuerTrusted,
    ProxyChanged,
    ProxyRemoved,
    ProxyTrusted,
)

__all__ = [
    "KINDS",
    "Changes",
    "ConnectionHungUp",
    "ConnectionsHungUp",
    "DecisionMade",
    "Event",
    "GrantChanged",
    "GrantGiven",
    "GrantRemoved",
    "GroupChanged",
    "GroupCreated",
    "GroupNested",
    "GroupRemoved",
    "GroupUnnested",
    "HistoryBegun",
    "IssuerChanged",
    "IssuerDisabled",
    "IssuerEnabled",
    "IssuerRemoved",
    "IssuerTrusted",
    "KeyChanged",
    "KeyIssued",
    "KeyRevoked",
    "KeyRotated",
    "MembershipChanged",
    "MembershipGiven",
    "MembershipRemoved",
    "OwnerAdded",
    "OwnerRemoved",
    "PasswordSet",
    "PersonChanged",
    "PersonCreated",
    "PersonRemoved",
    "PersonRestored",
    "PersonSuspended",
    "ProxyChanged",
    "ProxyRemoved",
    "ProxyTrusted",
    "RouteAdded",
    "RouteRemoved",
    "ServerChanged",
    "ServerCreated",
    "ServerDisabled",
    "ServerEnabled",
    "ServerRemoved",
    "SessionEnded",
    "SessionStarted",
    "SignInRefused",
    "SpoolDamaged",
    "TicketIssued",
    "ToolAdded",
    "ToolChanged",
    "ToolRemoved",
]
